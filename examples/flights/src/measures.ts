import { isJsonObject } from '@millrace/core/json'
import type { Pipeline } from '@millrace/core/pipeline'
import { deadLetterTopic } from '@millrace/core/topic-name'

import type { AccessToken } from '@millrace/ledger/access-token'
import type { Flight } from './flight.ts'
import { openHistogram, type Percentiles } from './histogram.ts'
import { followTopic } from './live-stream.ts'
import { watermarkClock } from './watermark-clock.ts'

/**
 * What an application sees, measured at live streams of the gateway, on the clock of this process:
 * - `live`: from the POST of an event until a subscriber of its topic has it (every sixteenth event; a retried event
 *   counts from its first POST);
 * - `windowResult`: from the POST of the event that lets the watermark pass a window's end until a subscriber of the
 *   result topic, which reads committed results alone, has the result (every result).
 */
export type MeasuredLatencies = {
  readonly live: Percentiles
  readonly windowResult: Percentiles
  readonly eventsSeen: number
  readonly resultsSeen: number
  /** How many pipelines there are, and the results of all of them. */
  readonly pipelines: number
  readonly resultsOfAll: number
  /** Distinct windows whose results were seen. */
  readonly windowsClosed: number
  readonly lateSeen: number
  readonly deadLettersSeen: number
  /** Events and results that the streams said they left out, being too slow for them. */
  readonly gapEvents: number
  readonly reconnects: number
}

export type Measures = {
  /** Resolves when all streams are open. */
  readonly subscribed: Promise<void>
  posted(lane: number, flights: readonly Flight[], atMs: number): void
  latencies(): MeasuredLatencies
  /** How far event time has come in every lane, by what was posted; in milliseconds since the epoch. */
  watermarkMs(): number | undefined
  close(): void
}

const sampleEvery = 16
/** Sampled events that wait for their frame; the oldest is given up. */
const samplesMax = 20_000

export type MeasuresOptions = {
  readonly gatewayUrl: string
  readonly token: AccessToken
  /** Whose latency is measured. */
  readonly pipeline: Pipeline
  /** Whose results are counted alone. */
  readonly others: readonly Pipeline[]
}

export function openMeasures({ gatewayUrl, token, pipeline, others }: MeasuresOptions): Measures {
  const live = liveLatency()
  const results = resultLatency(pipeline)
  const seen = { gaps: 0, late: 0, deadLetters: 0, ofOthers: 0 }
  const follow = (topic: string, onFrame: (text: string, atMs: number) => void) =>
    followTopic({
      gatewayUrl,
      topic,
      token,
      onFrame: (text, atMs) => {
        const gap = gapOf(text)
        if (gap === undefined) onFrame(text, atMs)
        else seen.gaps += gap
      },
    })
  const streams = [
    follow(pipeline.from.topic, (text, atMs) => live.seen(text, atMs)),
    follow(pipeline.result.topic, (text, atMs) => results.seen(text, atMs)),
    follow(deadLetterTopic(pipeline.from.topic), () => seen.deadLetters++),
    ...others.map(({ result }) => follow(result.topic, () => seen.ofOthers++)),
    ...(pipeline.lateTopic === undefined ? [] : [follow(pipeline.lateTopic, () => seen.late++)]),
  ]
  return {
    subscribed: Promise.all(streams.map(({ subscribed }) => subscribed)).then(() => undefined),
    posted: (lane, flights, atMs) => {
      live.posted(flights, atMs)
      results.clock.posted(lane, flights, atMs)
    },
    latencies: () => ({
      ...live.numbers(),
      ...results.numbers(),
      pipelines: 1 + others.length,
      resultsOfAll: results.numbers().resultsSeen + seen.ofOthers,
      lateSeen: seen.late,
      deadLettersSeen: seen.deadLetters,
      gapEvents: seen.gaps,
      reconnects: streams.reduce((total, stream) => total + stream.reconnects(), 0),
    }),
    watermarkMs: () => results.clock.watermarkMs(),
    close: () => streams.forEach((stream) => stream.close()),
  }
}

function liveLatency() {
  const postedMs = new Map<string, number>()
  const histogram = openHistogram()
  let eventsSeen = 0
  return {
    posted: (flights: readonly Flight[], atMs: number): void => {
      for (const { row } of flights) {
        if (row % sampleEvery !== 0) continue
        postedMs.set(String(row), atMs)
        const oldest = postedMs.size > samplesMax ? postedMs.keys().next().value : undefined
        if (oldest !== undefined) postedMs.delete(oldest)
      }
    },
    seen: (text: string, atMs: number): void => {
      eventsSeen++
      const id = idOf(text)
      const sentMs = id === undefined ? undefined : postedMs.get(id)
      if (id === undefined || sentMs === undefined) return
      postedMs.delete(id)
      histogram.record(atMs - sentMs)
    },
    numbers: () => ({ live: histogram.percentiles(), eventsSeen }),
  }
}

function resultLatency(pipeline: Pipeline) {
  const clock = watermarkClock(pipeline.from.partitions, windowSizeMs(pipeline), pipeline.watermark)
  const histogram = openHistogram()
  let resultsSeen = 0
  let windowsClosed = 0
  let newestEndMs = -Infinity
  return {
    clock,
    seen: (text: string, atMs: number): void => {
      const endMs = windowEndOf(text)
      if (endMs === undefined) return
      resultsSeen++
      // Windows close in the order of event time, so a new window is one with a later end.
      if (endMs > newestEndMs) windowsClosed++
      newestEndMs = Math.max(newestEndMs, endMs)
      const passedMs = clock.passedAtMs(endMs)
      if (passedMs !== undefined) histogram.record(atMs - passedMs)
    },
    numbers: () => ({ windowResult: histogram.percentiles(), resultsSeen, windowsClosed }),
  }
}

/** @throws RangeError for windows of other kinds, whose ends do not follow one another */
function windowSizeMs({ name, window }: Pipeline): number {
  if (window.kind === 'tumbling') return window.sizeMs
  throw new RangeError(`the latency of tumbling windows is measured, and those of ${name} are ${window.kind}`)
}

/** The event's id, without parsing the frame: at ten thousand frames a second that would slow what is measured. */
function idOf(frame: string): string | undefined {
  return /"id":"([^"\\]*)"/.exec(frame)?.[1]
}

function windowEndOf(frame: string): number | undefined {
  const windowEnd = /"windowEnd":"([^"\\]*)"/.exec(frame)?.[1]
  const endMs = windowEnd === undefined ? NaN : Date.parse(windowEnd)
  return Number.isNaN(endMs) ? undefined : endMs
}

function gapOf(frame: string): number | undefined {
  if (!frame.startsWith('{"gap"')) return undefined
  const parsed: unknown = JSON.parse(frame)
  const gap = isJsonObject(parsed) ? parsed['gap'] : undefined
  return isJsonObject(gap) && typeof gap['count'] === 'number' ? gap['count'] : 0
}
