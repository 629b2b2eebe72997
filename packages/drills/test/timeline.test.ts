import { expect, test } from 'vitest'
import { createTimeline, recoveryMs, settledMs } from '../src/timeline.ts'

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

test('a platform is calm again from when two seconds on end were calm, whatever comes later', () => {
  const calmBetween = (fromMs: number, toMs: number) => timelineOf((atMs) => (atMs >= fromMs && atMs < toMs ? 20 : 800))
  expect(recoveryMs(calmBetween(0, 10_000), 0, 10_000, 20)).toBe(0)
  expect(recoveryMs(calmBetween(3_200, 10_000), 1_000, 10_000, 20)).toBe(2_500)
  expect(recoveryMs(calmBetween(3_000, 5_000), 1_000, 10_000, 20)).toBe(2_000)
  expect(recoveryMs(calmBetween(3_000, 4_900), 1_000, 10_000, 20)).toBeUndefined()
  expect(recoveryMs(calmBetween(8_500, 10_000), 1_000, 10_000, 20)).toBeUndefined()
})

test('it has settled when every half second from then on is calm', () => {
  const slowUntil = (until: number) => timelineOf((atMs) => (atMs < until ? 800 : 20))
  expect(settledMs(slowUntil(0), 0, 10_000, 20)).toBe(0)
  expect(settledMs(slowUntil(3_200), 1_000, 10_000, 20)).toBe(2_500)
  const again = timelineOf((atMs) => (atMs < 1_000 || (atMs > 5_000 && atMs < 5_400) ? 800 : 20))
  expect(settledMs(again, 0, 10_000, 20)).toBe(5_500)
  expect(recoveryMs(again, 0, 10_000, 20)).toBe(1_000)
})

test('one that is slow or silent to the end is neither', () => {
  const slow = timelineOf(() => 800)
  const silent = timelineOf((atMs) => (atMs < 1_500 ? 20 : undefined))
  for (const timeline of [slow, silent]) {
    expect(recoveryMs(timeline, 0, 10_000, 20)).toBeUndefined()
    expect(settledMs(timeline, 0, 10_000, 20)).toBeUndefined()
  }
})
