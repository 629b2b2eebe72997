import { expect, test } from 'vitest'
import { createTimeline, hasCalmedDown, recoveryMs } from '../src/timeline.ts'

/** An acknowledgement every 100 ms for 10 s, each of which takes what is said for its time. */
function timelineOf(tookMs: (atMs: number) => number | undefined) {
  const timeline = createTimeline()
  for (let atMs = 0; atMs < 10_000; atMs += 100) {
    const took = tookMs(atMs)
    if (took !== undefined) timeline.acknowledged(10, took, atMs)
  }
  return timeline
}

test('the 95th percentile counts events, and of one moment up to another', () => {
  const timeline = createTimeline()
  timeline.acknowledged(95, 10, 0)
  timeline.acknowledged(5, 900, 0)
  timeline.acknowledged(1, 5_000, 100)
  expect(timeline.p95(0, 100)).toBe(10)
  expect(timeline.p95(0, 101)).toBe(900)
  expect(timeline.p95(200, 300)).toBeUndefined()
  expect(timeline.count(0, 200)).toBe(101)
})

test('a platform is calm again when every half second from then on is', () => {
  const slowUntil = (until: number) => timelineOf((atMs) => (atMs < until ? 800 : 20))
  expect(recoveryMs(slowUntil(0), 0, 10_000, 20)).toBe(0)
  expect(recoveryMs(slowUntil(3_200), 1_000, 10_000, 20)).toBe(2_500)
  const again = timelineOf((atMs) => (atMs < 1_000 || (atMs > 5_000 && atMs < 5_400) ? 800 : 20))
  expect(recoveryMs(again, 0, 10_000, 20)).toBe(5_500)
})

test('one that is slow or silent to the end is not', () => {
  expect(
    recoveryMs(
      timelineOf(() => 800),
      0,
      10_000,
      20,
    ),
  ).toBeUndefined()
  expect(
    recoveryMs(
      timelineOf((atMs) => (atMs < 9_000 ? 20 : undefined)),
      0,
      10_000,
      20,
    ),
  ).toBeUndefined()
})

test('a platform has calmed down when two seconds on end were calm, whatever comes later', () => {
  const calmBetween = (fromMs: number, toMs: number) => timelineOf((atMs) => (atMs >= fromMs && atMs < toMs ? 20 : 800))
  expect(hasCalmedDown(calmBetween(3_000, 5_000), 1_000, 10_000, 20)).toBe(true)
  expect(hasCalmedDown(calmBetween(3_000, 4_900), 1_000, 10_000, 20)).toBe(false)
  expect(hasCalmedDown(calmBetween(8_500, 10_000), 1_000, 10_000, 20)).toBe(false)
})
