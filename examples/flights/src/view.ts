import type { ServerState, ServerStatus } from '@millrace/stack/server'
import type { MeasuredLatencies } from './measures.ts'
import type { ReplayNumbers } from './statistics.ts'
import { count, type Lag, percentiles } from './summary.ts'

/** Everything that the view shows, at one moment. What is unknown because its source does not answer is `undefined`. */
export type Snapshot = {
  readonly elapsedMs: number
  readonly replay: ReplayNumbers
  readonly latencies: MeasuredLatencies
  /** How far event time has come in every partition. */
  readonly watermarkMs: number | undefined
  readonly lag: Lag | undefined
  readonly warehouseRows: number | undefined
  readonly services: readonly ServerStatus[]
  readonly memoryBytes: number
  readonly exhausted: boolean
}

const labelWidth = 16

/** The block that a terminal shows while the replay runs. */
export function viewOf(snapshot: Snapshot): string[] {
  const { replay, latencies, lag, services, warehouseRows } = snapshot
  return [
    '',
    row('replaying', `${progressOf(snapshot)}, for ${clock(snapshot.elapsedMs)}`),
    row('events/s', `${count(replay.eventsPerSecondNow)} now   ${count(replay.eventsPerSecond)} on average`),
    row(
      'acknowledged',
      `${count(replay.acknowledged)} in batches of ${count(replay.batchEventsMean)}${retriesOf(replay)}`,
    ),
    row('acknowledgement', percentiles(replay.ack)),
    row('live subscriber', `${percentiles(latencies.live)}${missed(latencies)}`),
    row('window result', percentiles(latencies.windowResult)),
    row('consumer lag', lag ? `slowest pipeline ${count(lag.pipelines)}   sink ${count(lag.sink)}` : 'unknown'),
    row('windows closed', `${count(latencies.windowsClosed)} with ${count(latencies.resultsSeen)} results`),
    row('all pipelines', `${count(latencies.pipelines)} with ${count(latencies.resultsOfAll)} results`),
    row('late', `${count(latencies.lateSeen)}   dead letters ${count(latencies.deadLettersSeen)}`),
    row('warehouse rows', warehouseRows === undefined ? 'unknown' : count(warehouseRows)),
    row('memory', snapshot.memoryBytes === 0 ? 'unknown' : `${count(snapshot.memoryBytes / 1e6)} MB in all processes`),
    ...serviceRows(services),
  ]
}

/** The same on one line, for what is no terminal. */
export function lineOf({ replay, latencies, lag, warehouseRows, services }: Snapshot): string {
  const notRunning = services.filter(({ state }) => state !== 'running').map(({ name, state }) => `${name} ${state}`)
  return [
    `${count(replay.eventsPerSecondNow)} events/s`,
    `${count(replay.acknowledged)} acknowledged`,
    `ack p95 ${milliseconds(replay.ack.p95Ms)}`,
    `live p95 ${milliseconds(latencies.live.p95Ms)}`,
    `window p95 ${milliseconds(latencies.windowResult.p95Ms)}`,
    `lag ${lag ? `${count(lag.pipelines)} + ${count(lag.sink)}` : 'unknown'}`,
    `late ${count(latencies.lateSeen)}`,
    `rows ${warehouseRows === undefined ? 'unknown' : count(warehouseRows)}`,
    ...(replay.retries > 0 ? [`sent again ${count(replay.retries)}`] : []),
    ...notRunning,
  ].join(', ')
}

function row(label: string, text: string): string {
  return `  ${label.padEnd(labelWidth)} ${text}`
}

function progressOf({ exhausted, watermarkMs }: Snapshot): string {
  if (exhausted) return 'all flights are replayed ("npx millrace down --wipe" starts over)'
  if (watermarkMs === undefined) return 'flights of 2001'
  return `flights of 2001, at ${new Date(watermarkMs).toISOString().slice(0, 16).replace('T', ' ')}`
}

function retriesOf({ retries, duplicates }: ReplayNumbers): string {
  return retries + duplicates === 0 ? '' : `   sent again ${count(retries)}   duplicates ${count(duplicates)}`
}

function missed({ gapEvents }: MeasuredLatencies): string {
  return gapEvents === 0 ? '' : `   missed ${count(gapEvents)}`
}

/** Hours, minutes and seconds; a replay may run for days, and the hours go on counting. */
function clock(elapsedMs: number): string {
  const seconds = Math.floor(elapsedMs / 1_000)
  return [Math.floor(seconds / 3_600), Math.floor(seconds / 60) % 60, seconds % 60]
    .map((part) => String(part).padStart(2, '0'))
    .join(':')
}

function milliseconds(value: number | undefined): string {
  return value === undefined ? '–' : `${count(value)} ms`
}

const marks: Readonly<Record<ServerState, string>> = {
  running: '●',
  waiting: '○',
  starting: '◐',
  restarting: '◐',
  stopping: '◌',
  stopped: '○',
  failed: '✗',
}

const servicesPerRow = 4
const serviceWidth = 19

function serviceRows(services: readonly ServerStatus[]): string[] {
  const shown = services.map(({ name, state, restarts }) =>
    `${marks[state]} ${name}${restarts > 0 ? ` (${restarts}×)` : ''}`.padEnd(serviceWidth),
  )
  const rows = Array.from({ length: Math.ceil(shown.length / servicesPerRow) }, (_, index) =>
    shown.slice(index * servicesPerRow, (index + 1) * servicesPerRow).join(' '),
  )
  return rows.map((text, index) => row(index === 0 ? 'services' : '', text))
}
