import type { StartCost } from '@millrace/stack/run-stack'
import type { FeedNumbers } from './feeds.ts'
import type { Percentiles } from './histogram.ts'
import type { MeasuredLatencies } from './measures.ts'
import type { ReplayEnd } from './replay.ts'
import type { ReplayNumbers } from './statistics.ts'
import type { CheckResult } from '@millrace/ledger/check'
import type { PipelineFindings, Verdict } from './verdict/judge.ts'

/** What a run came to. Printed as it is with `--json`. */
export type Summary = {
  /** True when the verdict is, over at least what was acknowledged in this run, once everything had flowed to its end. */
  readonly ok: boolean
  readonly started: StartCost
  readonly replay: ReplayNumbers & {
    readonly end: ReplayEnd
    /** What was asked for; `null` is as fast as it goes. */
    readonly eventsPerSecondAsked: number | null
  }
  /** The sources beside the flights. */
  readonly feeds: readonly FeedNumbers[]
  readonly latencies: MeasuredLatencies
  /** How far the pipelines and the sink were behind when the replay ended. */
  readonly lagAtEnd: Lag | undefined
  /** Servers that died during the run and were started again, and how often. */
  readonly restarts: Readonly<Record<string, number>>
  readonly load: Load
  /** Whether everything had flowed to its end before the verdict. */
  readonly settled: boolean
  readonly verdict: Verdict
}

/** In offsets. */
export type Lag = {
  /** Of the pipeline that is furthest behind. */
  readonly pipelines: number
  readonly sink: number
}

/** What the machine was used for while the replay ran. */
export type Load = {
  /** How many cores the machine has, and how many were busy, with the platform and with anything else. */
  readonly cores: number
  readonly coresBusy: number
  /** Cores, by process of the platform, the busiest first. */
  readonly coresByProcess: Readonly<Record<string, number>>
  /** The most memory that all processes together had. */
  readonly memoryBytesMax: number
}

/** Above this share of the machine's cores the processor is what limits the rate. */
const saturatedShare = 0.9

/** The summary for a person to read. */
export function summaryLines(summary: Summary): string[] {
  const { replay, latencies, load, verdict, restarts } = summary
  const died = Object.entries(restarts).map(([name, times]) => `${name} ${times}×`)
  return [
    `${count(replay.acknowledged)} events acknowledged at ${count(replay.eventsPerSecond)} events/s, in batches of ${count(replay.batchEventsMean)} on average`,
    `POST → acknowledged                     ${percentiles(replay.ack)}`,
    `POST → live subscriber                  ${percentiles(latencies.live)}`,
    `watermark past a window → its result    ${percentiles(latencies.windowResult)}`,
    `sent again ${count(replay.retries)}, recognised as duplicates ${count(replay.duplicates)}, missed by the live streams ${count(latencies.gapEvents)}`,
    feedsLine(summary.feeds),
    bottleneck(summary),
    `memory of all processes at most ${(load.memoryBytesMax / 1e6).toFixed(0)} MB`,
    ...(died.length > 0 ? [`died and were started again: ${died.join(', ')}`] : []),
    ...(summary.settled ? [] : ['a pipeline or the sink had not caught up when the verdict was reached']),
    ...(replay.end === 'exhausted' ? ['all flights have been replayed: "npx millrace down --wipe" starts over'] : []),
    '',
    ...verdict.checks.flatMap(checkLines),
    ...verdict.findings.pipelines.map(pipelineLine),
    verdictLine(summary),
  ]
}

function feedsLine(feeds: readonly FeedNumbers[]): string {
  const parts = feeds.map(
    ({ type, format, acknowledged, of }) => `${type} (${format}) ${count(acknowledged)} of ${count(of)}`,
  )
  return `beside the flights: ${parts.join(', ')} acknowledged`
}

function bottleneck({ load, replay, lagAtEnd }: Summary): string {
  const { cores, coresBusy, coresByProcess } = load
  const busiest = Object.entries(coresByProcess)
    .slice(0, 4)
    .map(([name, used]) => `${name} ${used.toFixed(2)}`)
  const busy = `${coresBusy.toFixed(1)} of ${cores} cores were busy (${busiest.join(', ')})`
  const lag = lagAtEnd ? `; at the end the slowest pipeline was ${count(lagAtEnd.pipelines)} events behind` : ''
  if (coresBusy >= saturatedShare * cores) return `bottleneck: the processor, ${busy}${lag}`
  const asked = replay.eventsPerSecondAsked
  const held = asked !== null && replay.eventsPerSecond >= saturatedShare * asked
  return `bottleneck: ${held ? 'none at the rate asked for' : 'not the processor'}, ${busy}${lag}`
}

function checkLines({ ok, says, compared, differing, firstRows }: CheckResult): string[] {
  if (ok && compared === 0) return [`– ${says} (nothing to compare)`]
  if (ok) return [`✓ ${says} (${count(compared)})`]
  return [
    `✗ ${says}: ${count(differing)} of ${count(compared)} differ, the first of them:`,
    ...firstRows.map((row) => `    ${JSON.stringify(row)}`),
  ]
}

function pipelineLine({ pipeline, results, revisions, late }: PipelineFindings): string {
  const revised = revisions === 0 ? '' : `, ${count(revisions)} of them revisions`
  return `  ${pipeline}: ${count(results)} results${revised}, ${count(late)} events late`
}

function verdictLine({ ok, verdict, replay }: Summary): string {
  const { findings } = verdict
  if (verdict.ok && !ok && replay.acknowledged === 0) return 'verdict: FALSE, for nothing was acknowledged in this run'
  const copies = findings.copies === 0 ? 'no copies' : `${count(findings.copies)} identical copies`
  return `verdict: ${ok ? 'true' : 'FALSE'} — ${count(findings.acknowledged)} acknowledged, ${count(findings.stored)} stored (${copies}), ${count(findings.results)} results, ${count(findings.warehouseRows)} rows in the warehouse`
}

/** A whole number with its thousands apart. */
export function count(value: number): string {
  return Math.round(value).toLocaleString('en-US').replaceAll(',', ' ')
}

export function percentiles({ p50Ms, p95Ms, p99Ms }: Percentiles): string {
  if (p50Ms === undefined) return 'not seen yet'
  return [
    ['p50', p50Ms],
    ['p95', p95Ms],
    ['p99', p99Ms],
  ]
    .map(([name, value]) => `${String(name)} ${count(Number(value)).padStart(5)} ms`)
    .join('   ')
}
