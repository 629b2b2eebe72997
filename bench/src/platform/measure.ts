/** One run of the whole platform at a rate, between two slices of the control. */
import { setTimeout as delay } from 'node:timers/promises'
import { openDataset } from '@millrace/example-flights/dataset'
import type { Percentiles } from '@millrace/example-flights/histogram'
import { runFlights } from '@millrace/example-flights/run'
import type { Lag, Load, Summary } from '@millrace/example-flights/summary'
import type { RunningStack } from '@millrace/stack/run-stack'
import type { LoadResult } from '../ingest/load.ts'
import type { Control } from './control.ts'
import { everyYear } from './every-year.ts'

/** `find`: a short run, to see which rates are too much. `long`: the rate that was asked for, or the highest that was found. */
export type Phase = 'find' | 'long'

export type Asked = { readonly phase: Phase; readonly eventsPerSecond: number; readonly seconds: number }

export type Measurement = {
  readonly phase: Phase
  readonly seconds: number
  /** Events per second: what was asked for, and what was acknowledged. */
  readonly rate: { readonly asked: number; readonly achieved: number }
  readonly acknowledged: number
  readonly batchEventsMean: number
  readonly retries: number
  /** `api`: POST → acknowledged. `live`: POST → a subscriber of the topic. `result`: POST that closes a window → a subscriber of its result. */
  readonly latencies: { readonly api: Percentiles; readonly live: Percentiles; readonly result: Percentiles }
  /** Events and results that the live streams left out: they have no latency. */
  readonly gapEvents: number
  /** Offsets behind; null: unknown. `atMost` is the pipeline's. */
  readonly lag: { readonly atMost: number | null; readonly atEnd: Lag | null }
  readonly verdict: RunVerdict
  readonly load: Load
  /** Servers that died, and how often. */
  readonly restarts: Readonly<Record<string, number>>
  /** The client alone at the same rate, while the platform idled. */
  readonly control: { readonly before: LoadResult; readonly after: LoadResult }
}

/** What the ledger says of everything that was sent up to the end of the run. */
export type RunVerdict = {
  readonly ok: boolean
  /** Whether everything had flowed to its end before the verdict. */
  readonly settled: boolean
  readonly acknowledged: number
  /** Acknowledged events that are not in the topic where they must be. */
  readonly lost: number
  /** The checks that failed. */
  readonly failed: readonly string[]
}

export type Ground = {
  readonly running: RunningStack
  readonly control: Control
  readonly say: (line: string) => void
}

/** The platform has read what a run wrote by now, and the brokers have a moment before the client has them alone. */
const idleMs = 3_000

/** @throws MillraceError as `runFlights` and the control do; 'stack.failed' after a signal */
export async function measure({ running, control, say }: Ground, asked: Asked): Promise<Measurement> {
  const { eventsPerSecond, seconds } = asked
  const before = await control.put(eventsPerSecond)
  let atMost: number | undefined
  const summary = await runFlights(
    running,
    { eventsPerSecond, forMs: seconds * 1_000, openFlights: async () => everyYear(await openDataset()) },
    {
      started: () => undefined,
      looked: ({ lag }) => (atMost = greater(atMost, lag?.pipelines)),
      note: (sentence) => say(`    ${sentence}`),
    },
  )
  running.signal.throwIfAborted()
  if (!summary) throw new TypeError('a run that has a time ends with a summary')
  await delay(idleMs, undefined, { signal: running.signal })
  const after = await control.put(eventsPerSecond)
  return measurementOf(asked, summary, greater(atMost, summary.lagAtEnd?.pipelines), { before, after })
}

function measurementOf(
  { phase, seconds, eventsPerSecond: asked }: Asked,
  summary: Summary,
  lagAtMost: number | undefined,
  control: Measurement['control'],
): Measurement {
  const { replay, latencies, lagAtEnd, load, restarts } = summary
  return {
    ...{ phase, seconds, rate: { asked, achieved: replay.eventsPerSecond } },
    ...{ acknowledged: replay.acknowledged, batchEventsMean: replay.batchEventsMean, retries: replay.retries },
    latencies: { api: replay.ack, live: latencies.live, result: latencies.windowResult },
    gapEvents: latencies.gapEvents,
    lag: { atMost: lagAtMost ?? null, atEnd: lagAtEnd ?? null },
    verdict: runVerdictOf(summary),
    ...{ load, restarts, control },
  }
}

function runVerdictOf({ ok, settled, verdict: { checks, findings } }: Summary): RunVerdict {
  return {
    ...{ ok, settled, acknowledged: findings.acknowledged },
    lost: checks.find(({ name }) => name === 'acknowledged-is-stored')?.differing ?? 0,
    failed: checks.filter((check) => !check.ok).map(({ name }) => name),
  }
}

function greater(one: number | undefined, other: number | undefined): number | undefined {
  return one === undefined || other === undefined ? (one ?? other) : Math.max(one, other)
}
