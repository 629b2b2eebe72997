/**
 * Durations in a fixed number of buckets, each 2 % wider than the one before: however long the replay, the memory is
 * the same, and a percentile is at most 2 % above the truth.
 */
const growth = 1.02
const smallestMs = 0.01
const buckets = 1_200

export type Percentiles = {
  readonly count: number
  readonly p50Ms: number | undefined
  readonly p95Ms: number | undefined
  readonly p99Ms: number | undefined
  readonly maxMs: number | undefined
}

export type Histogram = {
  /** Counts a duration, once or as often as events had it. */
  record(durationMs: number, times?: number): void
  percentiles(): Percentiles
}

export function openHistogram(): Histogram {
  const counts = new Float64Array(buckets)
  let count = 0
  let maxMs = 0
  const percentile = (share: number): number | undefined => {
    if (count === 0) return undefined
    const rank = Math.ceil(share * count)
    let seen = 0
    const index = counts.findIndex((inBucket) => (seen += inBucket) >= rank)
    return Math.min(upperBoundMs(index), maxMs)
  }
  return {
    record: (durationMs, times = 1) => {
      const index = bucketOf(durationMs)
      counts[index] = (counts[index] ?? 0) + times
      count += times
      maxMs = Math.max(maxMs, durationMs)
    },
    percentiles: () => ({
      count,
      p50Ms: percentile(0.5),
      p95Ms: percentile(0.95),
      p99Ms: percentile(0.99),
      maxMs: count === 0 ? undefined : maxMs,
    }),
  }
}

function bucketOf(durationMs: number): number {
  if (!(durationMs > smallestMs)) return 0
  return Math.min(buckets - 1, Math.ceil(Math.log(durationMs / smallestMs) / Math.log(growth)))
}

function upperBoundMs(index: number): number {
  return smallestMs * growth ** index
}
