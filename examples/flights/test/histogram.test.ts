import fc from 'fast-check'
import { expect, test } from 'vitest'
import { openHistogram } from '../src/histogram.ts'

test('without a duration there is no percentile', () => {
  const none = { count: 0, p50Ms: undefined, p95Ms: undefined, p99Ms: undefined, maxMs: undefined }
  expect(openHistogram().percentiles()).toEqual(none)
})

test('a percentile is the truth or at most 2 % above it', () => {
  const durations = fc.array(fc.double({ min: 0.01, max: 1e8, noNaN: true }), { minLength: 1, maxLength: 300 })
  fc.assert(
    fc.property(durations, (all) => {
      const histogram = openHistogram()
      for (const duration of all) histogram.record(duration)
      const { count, maxMs, p50Ms, p95Ms, p99Ms } = histogram.percentiles()
      const sorted = all.toSorted((left, right) => left - right)
      expect({ count, maxMs }).toEqual({ count: all.length, maxMs: sorted.at(-1) })
      for (const [share, percentile = NaN] of [
        [0.5, p50Ms],
        [0.95, p95Ms],
        [0.99, p99Ms],
      ] as const) {
        const truth = sorted[Math.ceil(share * all.length) - 1] ?? NaN
        expect(percentile).toBeGreaterThanOrEqual(truth * (1 - 1e-9))
        expect(percentile).toBeLessThanOrEqual(truth * (1.02 + 1e-9))
      }
    }),
  )
})

test('a duration counts as often as events had it', () => {
  const histogram = openHistogram()
  histogram.record(1, 98)
  histogram.record(1_000, 2)
  const { count, p95Ms = NaN, p99Ms } = histogram.percentiles()
  expect(count).toBe(100)
  expect(p95Ms).toBeLessThan(1.03)
  expect(p99Ms).toBe(1_000)
})

test('durations too short or too long for a bucket are counted', () => {
  const histogram = openHistogram()
  for (const duration of [0, -1, 1e12]) histogram.record(duration)
  expect(histogram.percentiles()).toMatchObject({ count: 3, p50Ms: 0.01, maxMs: 1e12 })
})
