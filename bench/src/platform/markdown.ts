/** The report as a page: what the long runs came to first, then every rate that was tried, and what bounds them. */
import type { Percentiles } from '@millrace/example-flights/histogram'
import { batchEvents } from '../ingest/events.ts'
import type { LoadResult } from '../ingest/load.ts'
import { tableOf } from '../markdown-table.ts'
import { labelOf } from './bound.ts'
import { secondsOf } from './judgement.ts'
import type { Highest, Report, Run } from './report.ts'

export function markdownOf(report: Report): string {
  const { runs, bound } = report
  const long = runs.filter(({ phase }) => phase === 'long')
  return [
    `# The whole platform, ${report.date}`,
    '',
    ...found(report),
    '',
    ...long.flatMap((run) => [`## ${nameOf(run)}`, '', ...checksOf(run), '']),
    '## Every rate that was tried',
    '',
    ...ratesOf(runs),
    '',
    '## What bounds it',
    '',
    bound,
    '',
    ...coresOf(runs),
    '',
    '## Beside the client alone',
    '',
    ...controlsOf(runs),
    '',
    '## The run',
    '',
    ...runOf(report),
    '',
  ].join('\n')
}

function found({ highest: { find, long }, runs }: Report): string[] {
  const lengthOf = (phase: Run['phase']) => runs.find((run) => run.phase === phase)?.seconds
  return [
    highestLine(lengthOf('find'), find),
    highestLine(lengthOf('long'), long),
    '',
    '“Keeps up” is decided by the acknowledged rate, the lag and the ledger; “holds” by the latencies too. The limits are those of the long runs’ tables.',
  ].flatMap((line) => line ?? [])
}

function highestLine(seconds: number | undefined, { keptUp, held }: Highest): string | undefined {
  if (seconds === undefined) return undefined
  return `- For ${durationOf(seconds)}: the highest rate that holds is ${rateOf(held)}, the highest that is kept up with ${rateOf(keptUp)}.`
}

function rateOf(rate: number | null): string {
  return rate === null ? 'none of those that were tried' : `${count(rate)} events/s`
}

function nameOf({ rate, seconds }: Run): string {
  return `${count(rate.asked)} events/s for ${durationOf(seconds)}`
}

function checksOf({ judgement, rate, acknowledged, batchEventsMean, verdict, ...run }: Run): string[] {
  const rows = judgement.checks.map(({ what, limit, value, ok }) => [
    what,
    limit,
    value === null ? 'unknown' : short(value),
    ok ? 'ok' : '**missed**',
  ])
  const died = Object.entries(run.restarts).map(([name, times]) => `${name} ${times}×`)
  return [
    ...tableOf(['', 'limit', 'measured', ''], rows),
    '',
    `${count(acknowledged)} events acknowledged at ${count(rate.achieved)} events/s, ${short(batchEventsMean)} a request on average; ${count(run.retries)} sent again.`,
    `Of ${count(verdict.acknowledged)} acknowledged up to here by the ledger, ${count(verdict.lost)} are not in the topic. The verdict is ${verdict.ok ? 'true' : '**false**'}${reasonOf(verdict)}.`,
    ...(died.length > 0 ? [`Died and were started again: ${died.join(', ')}.`] : []),
  ]
}

function reasonOf({ settled, failed }: Run['verdict']): string {
  const reasons = [...(settled ? [] : ['not everything had flowed to its end']), ...failed]
  return reasons.length > 0 ? ` (${reasons.join(', ')})` : ''
}

function ratesOf(runs: readonly Run[]): string[] {
  const columns = ['events/s asked', 'for', 'acknowledged', 'a request', 'acknowledgement ms', 'live ms', 'result ms']
  const others = ['lag s: at most, at the end', 'sink: results behind', 'gaps', 'lost', 'keeps up', 'holds']
  return [
    ...tableOf([...columns, ...others], runs.map(cellsOf)),
    '',
    'In the order in which they ran. Latencies: p50 / p95 / p99, all from the POST: until the answer; until a subscriber of the topic has the event; from the',
    'event that lets the watermark pass a window’s end until a subscriber of the results has the result. Gaps: events that the live streams left out, being',
    'too slow for them, which have no latency. Lag: offsets that are not committed, divided by the rate. “Lost” counts all runs up to this one.',
  ]
}

function cellsOf({ rate, lag, latencies, judgement, ...run }: Run): string[] {
  const lags = [lag.atMost, lag.atEnd?.pipelines ?? null].map((offsets) => known(secondsOf(offsets, rate.asked)))
  return [
    count(rate.asked),
    durationOf(run.seconds),
    count(rate.achieved),
    short(run.batchEventsMean),
    percentiles(latencies.api),
    percentiles(latencies.live),
    percentiles(latencies.result),
    lags.join(', '),
    known(lag.atEnd?.sink ?? null),
    count(run.gapEvents),
    count(run.verdict.lost),
    judgement.keepsUp ? 'yes' : '**no**',
    judgement.holds ? 'yes' : '**no**',
  ]
}

/** Below this many cores in every run a process is told with the others. */
const coresMin = 0.02

function coresOf(runs: readonly Run[]): string[] {
  const usedBy = (name: string) => runs.map(({ load }) => load.coresByProcess[name] ?? 0)
  const names = [...new Set(runs.flatMap(({ load }) => Object.keys(load.coresByProcess)))]
    .filter((name) => Math.max(...usedBy(name)) >= coresMin)
    .toSorted((one, other) => Math.max(...usedBy(other)) - Math.max(...usedBy(one)))
  const rows = runs.map(({ rate, seconds, load: { cores, coresBusy, coresByProcess } }) => {
    const told = names.map((name) => coresByProcess[name] ?? 0)
    const rest = Math.max(0, coresBusy - told.reduce((sum, used) => sum + used, 0))
    return [
      ...[count(rate.asked), durationOf(seconds), `${coresBusy.toFixed(2)} of ${cores}`],
      ...[...told, rest].map((used) => used.toFixed(2)),
    ]
  })
  return [
    ...tableOf(['events/s', 'for', 'cores busy', ...names.map(labelOf), 'all else'], rows),
    '',
    'Cores that were busy while the events were sent, of the machine and of each process. “Load and subscribers” is the process that sends, keeps the ledger',
    'and follows the live streams.',
  ]
}

function controlsOf(runs: readonly Run[]): string[] {
  const columns = ['events/s', 'for', 'platform: acknowledged', 'ms', 'client alone: before', 'ms', 'after', 'ms']
  const rows = runs.map(({ rate, seconds, latencies, control }) => [
    ...[count(rate.asked), durationOf(seconds), count(rate.achieved), percentiles(latencies.api)],
    ...[control.before, control.after].flatMap(controlCells),
  ])
  return [
    ...tableOf(columns, rows),
    '',
    `The platform’s own Kafka client in a process of its own writes records like those that the gateway makes of flights, ${batchEvents} at once and at the same rate, to a topic`,
    'of the same brokers, confirmed by all in-sync replicas, for a few seconds before and after each run, while the platform idles. Latencies: p50 / p95 / p99.',
  ]
}

function controlCells({ events, seconds, failures, unsent, latencyMs: { p50, p95, p99 } }: LoadResult): string[] {
  const missing = failures + unsent > 0 ? ` (${count(failures + unsent)} batches failed)` : ''
  return [`${count(events / seconds)}${missing}`, [p50, p95, p99].map(short).join(' / ')]
}

function runOf({ machine, runs }: Report): string[] {
  const { cores, model, node, loadAverage } = machine
  const memory = Math.max(0, ...runs.map(({ load }) => load.memoryBytesMax))
  return [
    `- ${cores} cores (${model}) for everything: gateway, three brokers (TLS, SCRAM, three copies, two in sync), registry, Flink, Connect, the warehouse double,`,
    `  monitor, and what sends and follows. Node ${node}. Memory of all processes at most ${count(memory / 1e6)} MB. Load average of the last minute`,
    `  ${loadAverage.start.toFixed(1)} before the run, ${loadAverage.end.toFixed(1)} at its end (its own part is in that).`,
    '- The flights example: `flight.departed` in 6 partitions, `departures-per-airport` (tumbling windows of 1 hour) and its table. The same flights come again a year',
    '  later when all have been sent. A lane for each partition has one request under way, with the flights of at most one hour of report time. Beside it two feeds,',
    '  one in Avro and one in Protobuf, of 20 events/s each until they are empty, which the rates leave out.',
    '- Every event that is sent and every answer is in the ledger. After each run the topics are read by Kafka’s console consumer and the table by SQL, and compared with it.',
    '- Growing rates until one is not kept up with, then the middle once; then the long runs.',
  ]
}

function percentiles({ p50Ms, p95Ms, p99Ms }: Percentiles): string {
  return [p50Ms, p95Ms, p99Ms].map((ms) => known(ms ?? null)).join(' / ')
}

function durationOf(seconds: number): string {
  return seconds >= 60 ? `${short(seconds / 60)} min` : `${seconds} s`
}

function known(value: number | null): string {
  return value === null ? '–' : short(value)
}

function short(value: number): string {
  return value >= 1_000 ? count(value) : String(Number(value.toPrecision(3)))
}

function count(value: number): string {
  return Math.round(value).toLocaleString('en')
}
