import type { Pipeline } from '@millrace/core/pipeline'
import type { Admin } from '@millrace/kafka/admin'
import type { Warehouse } from '@millrace/connect/snowflake-sql'
import { tableOf } from '@millrace/connect/table'
import type { Installation } from '@millrace/stack/installation'
import type { Stack } from '@millrace/stack/stack'
import { lagOfFlow } from './flow.ts'
import type { LoadMeter } from './load.ts'
import type { Measures } from './measures.ts'
import { departuresTable } from './platform.ts'
import { polled } from './polled.ts'
import type { ReplayStatistics } from './statistics.ts'
import type { Snapshot } from './view.ts'
import { countRows } from './verdict/warehouse-rows.ts'

/** Whoever shows the run. */
export type Observer = {
  /** The replay begins. */
  started(installation: Installation): void
  /** Told once a second while the replay runs. */
  looked(snapshot: Snapshot): void
  /** What happens now that the replay has ended. */
  note(sentence: string): void
}

export type Observed = {
  readonly stack: Stack
  readonly admin: Admin
  readonly pipelines: readonly Pipeline[]
  readonly warehouse: Warehouse
  readonly measures: Measures
  readonly meter: LoadMeter
  readonly statistics: ReplayStatistics
  isExhausted(): boolean
}

const lookMs = 1_000
const lagLookMs = 2_000
const rowsLookMs = 3_000

/**
 * Looks at a run over and over and tells the observer, until the returned function is called. That function throws what
 * looking failed with, when it is called for the first time.
 */
export function observe(observed: Observed, observer: Observer): () => Promise<void> {
  const { stack, admin, pipelines, warehouse, measures, meter, statistics } = observed
  const stopping = new AbortController()
  const sinceMs = performance.now()
  const lag = polled(() => lagOfFlow(admin, pipelines), lagLookMs, stopping.signal)
  const rows = polled(() => countRows(warehouse, tableOf(departuresTable)), rowsLookMs, stopping.signal)
  const look = async (): Promise<void> => {
    await meter.look()
    observer.looked({
      elapsedMs: performance.now() - sinceMs,
      replay: statistics.numbers(),
      latencies: measures.latencies(),
      watermarkMs: measures.watermarkMs(),
      lag: lag.current(),
      warehouseRows: rows.current(),
      services: stack.services(),
      memoryBytes: meter.memoryBytes(),
      exhausted: observed.isExhausted(),
    })
  }
  const views = polled(look, lookMs, stopping.signal)
  const ended = [lag.ended, rows.ended, views.ended]
  return async () => {
    const isFirstCall = !stopping.signal.aborted
    stopping.abort()
    // Thrown again while the run is cleaned up after it, a failure would be hidden in a SuppressedError.
    await (isFirstCall ? Promise.all(ended) : Promise.allSettled(ended))
  }
}
