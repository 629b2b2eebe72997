import type { Percentiles } from '../src/histogram.ts'
import type { MeasuredLatencies } from '../src/measures.ts'
import type { ReplayNumbers } from '../src/statistics.ts'

/** The numbers of a run in which nothing went wrong, for what shows them. */
export const numbers: ReplayNumbers = {
  acknowledged: 120_000,
  requests: 2_500,
  eventsPerSecond: 2_000,
  eventsPerSecondNow: 1_900,
  batchEventsMean: 48,
  ack: percentilesOf(12, 34, 56),
  retries: 0,
  duplicates: 0,
}

export const latencies: MeasuredLatencies = {
  live: percentilesOf(1, 2, 1_234),
  windowResult: percentilesOf(700, 900, 1_000),
  eventsSeen: 120_000,
  resultsSeen: 51_300,
  windowsClosed: 310,
  pipelines: 5,
  resultsOfAll: 251_300,
  lateSeen: 41,
  deadLettersSeen: 3,
  gapEvents: 0,
  reconnects: 0,
}

export function percentilesOf(p50Ms?: number, p95Ms?: number, p99Ms?: number): Percentiles {
  return { count: p50Ms === undefined ? 0 : 100, p50Ms, p95Ms, p99Ms, maxMs: p99Ms }
}
