import { openHistogram, type Percentiles } from './histogram.ts'

export type ReplayNumbers = {
  /** Events acknowledged. */
  readonly acknowledged: number
  readonly requests: number
  /** Events acknowledged per second, from the first POST to the last acknowledgement. */
  readonly eventsPerSecond: number
  /** The same over the last seconds. */
  readonly eventsPerSecondNow: number
  /** Events per request that was answered. */
  readonly batchEventsMean: number
  /** From the POST of a request to its answer, once per event in it. */
  readonly ack: Percentiles
  /** Events that were sent again. */
  readonly retries: number
  /** Events that the gateway recognised as stored before. */
  readonly duplicates: number
}

export type ReplayStatistics = {
  confirmed(answer: { readonly events: number; readonly duplicates: number; readonly tookMs: number }): void
  retried(events: number): void
  numbers(): ReplayNumbers
}

const recentMs = 5_000

export function replayStatistics(now: () => number = () => performance.now()): ReplayStatistics {
  const ack = openHistogram()
  const recent: { atMs: number; events: number }[] = []
  const totals = { acknowledged: 0, requests: 0, retries: 0, duplicates: 0 }
  let firstMs: number | undefined
  let lastMs = 0
  const dropOld = (): void => {
    while (recent[0] && recent[0].atMs < now() - recentMs) recent.shift()
  }
  return {
    confirmed: ({ events, duplicates, tookMs }) => {
      lastMs = now()
      firstMs ??= lastMs - tookMs
      totals.acknowledged += events
      totals.requests++
      totals.duplicates += duplicates
      ack.record(tookMs, events)
      recent.push({ atMs: lastMs, events })
      dropOld()
    },
    retried: (events) => {
      totals.retries += events
    },
    numbers: () => {
      dropOld()
      const spanMs = Math.min(recentMs, Math.max(1, now() - (firstMs ?? now())))
      return {
        ...totals,
        eventsPerSecond: firstMs === undefined ? 0 : (totals.acknowledged * 1_000) / Math.max(1, lastMs - firstMs),
        eventsPerSecondNow: (recent.reduce((total, { events }) => total + events, 0) * 1_000) / spanMs,
        batchEventsMean: totals.requests === 0 ? 0 : totals.acknowledged / totals.requests,
        ack: ack.percentiles(),
      }
    },
  }
}
