import { expect, test } from 'vitest'
import { replayStatistics } from '../src/statistics.ts'

function onClock() {
  let nowMs = 0
  return { statistics: replayStatistics(() => nowMs), at: (ms: number) => (nowMs = ms) }
}

test('before anything is acknowledged all numbers are nought', () => {
  const { statistics } = onClock()
  statistics.retried(3)
  expect(statistics.numbers()).toMatchObject({
    ...{ acknowledged: 0, requests: 0, eventsPerSecond: 0, eventsPerSecondNow: 0, batchEventsMean: 0 },
    ...{ retries: 3, duplicates: 0, ack: { count: 0, p50Ms: undefined } },
  })
})

test('the rate is from the first POST to the last acknowledgement, not until now', () => {
  const { statistics, at } = onClock()
  at(1_000)
  statistics.confirmed({ events: 100, duplicates: 0, tookMs: 500 })
  at(2_500)
  statistics.confirmed({ events: 300, duplicates: 7, tookMs: 20 })
  at(60_000)
  expect(statistics.numbers()).toMatchObject({
    ...{ acknowledged: 400, requests: 2, eventsPerSecond: 200, batchEventsMean: 200, duplicates: 7 },
    ack: { count: 400, maxMs: 500 },
  })
})

test('the rate of now is that of the last five seconds', () => {
  const { statistics, at } = onClock()
  for (const [ms, events] of [
    [0, 1_000],
    [10_000, 50],
    [14_000, 100],
  ] as const) {
    at(ms)
    statistics.confirmed({ events, duplicates: 0, tookMs: 0 })
  }
  expect(statistics.numbers().eventsPerSecondNow).toBe(30)
  at(15_001)
  expect(statistics.numbers().eventsPerSecondNow).toBe(20)
  at(30_000)
  expect(statistics.numbers().eventsPerSecondNow).toBe(0)
})
