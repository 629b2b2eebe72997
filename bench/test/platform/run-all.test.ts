import { expect, test } from 'vitest'
import type { Asked } from '../../src/platform/measure.ts'
import { runAll } from '../../src/platform/run-all.ts'
import { searchRates } from '../../src/platform/search.ts'
import { measured, percentiles, tooMuch } from './measurements.ts'

const rates = [1_000, 2_000, 4_000]

test.each([
  ['all when all are kept up with', 9_999, [1_000, 2_000, 4_000]],
  ['the middle, once, when one is too much', 2_000, [1_000, 2_000, 4_000, 3_000]],
  ['nothing above what is too much', 1_000, [1_000, 2_000, 1_500]],
  ['half of the first when that is too much', 0, [1_000, 500]],
])('tried is %s', async (_, most, expected) => {
  const tried = await searchRates(
    rates,
    (rate) => Promise.resolve(rate),
    (rate) => rate <= most,
  )
  expect(tried).toEqual(expected)
})

const options = { rate: 4_000, rates, seconds: 45, minutes: 10 }

/** The long runs of a platform that keeps up with one rate and holds another. */
async function longRuns(keepsUpTo: number, holdsTo: number): Promise<number[]> {
  const long: number[] = []
  await runAll(options, ({ phase, eventsPerSecond, seconds }: Asked) => {
    expect(seconds).toBe(phase === 'long' ? 600 : 45)
    if (phase === 'long') long.push(eventsPerSecond)
    if (eventsPerSecond > keepsUpTo) return Promise.resolve(tooMuch(eventsPerSecond))
    const { latencies } = measured(eventsPerSecond)
    const slow = { latencies: { ...latencies, live: percentiles(5_000) } }
    return Promise.resolve(measured(eventsPerSecond, eventsPerSecond > holdsTo ? slow : {}))
  })
  return long
}

test.each([
  ['the rate that is asked for alone where it holds', 9_999, 9_999, [4_000]],
  ['the highest that holds, then the one that is asked for', 3_000, 2_000, [2_000, 4_000]],
  ['the highest that is kept up with where none holds', 3_000, 0, [3_000, 4_000]],
  ['the rate that is asked for where all are too much', 0, 0, [4_000]],
])('for minutes runs %s', async (_, keepsUpTo, holdsTo, expected) => {
  expect(await longRuns(keepsUpTo, holdsTo)).toEqual(expected)
})
