import { isDeepStrictEqual } from 'node:util'
import { afterAll, describe, expect, test } from 'vitest'
import { madeInFlink, madeInMemory } from './differential/compare.ts'
import { type Altered, openFlink } from './differential/flink-runs.ts'
import { casesOf } from './differential/generate.ts'

/** The same cases in each run, so that a run says something of a change and not of chance. */
const seed = 20_301_130
const jobs = 10
const casesPerJob = 20
const timeout = 300_000

const flink = await openFlink()
afterAll(() => flink.close())

test.each(Array.from({ length: jobs }, (_, job) => seed + job))(
  'pipelines by chance have the same outcomes and results in Flink and in memory, seed %i',
  { timeout },
  async (jobSeed) => {
    const cases = casesOf(jobSeed, casesPerJob)
    const runs = await flink.run(cases)
    for (const [index, run] of runs.entries()) {
      const one = cases[index]
      if (one) expect(madeInFlink(one, run)).toEqual(madeInMemory(one))
    }
  },
)

/** Faults of the compiler: what it writes, and what it should not write instead. */
const faults: readonly (readonly [fault: string, ...Altered])[] = [
  ['a window is closed a millisecond late', ' <= `watermark`', ' < `watermark`'],
  [
    'a window is closed a millisecond early',
    " - INTERVAL '0 00:00:00.001' DAY TO SECOND(3) <=",
    " - INTERVAL '0 00:00:00.002' DAY TO SECOND(3) <=",
  ],
  ['disorder is not tolerated', /AS `rowtime` - INTERVAL .+$/m, 'AS `rowtime`'],
  ['what a filter does not know passes', ' IS NOT TRUE THEN', ' IS FALSE THEN'],
  [
    'what is late is counted as processed',
    "<= `watermark`, FALSE) THEN 'late'",
    "<= `watermark`, FALSE) THEN 'processed'",
  ],
  ['a replay for others is taken', "THEN 'not-addressed'", "THEN 'processed'"],
  ['malformed records are filtered', "THEN 'dead-lettered'", "THEN 'filtered'"],
  ['malformed records move event time', 'TO_TIMESTAMP_LTZ(-62167219200000, 3)', 'TO_TIMESTAMP_LTZ(4102444800000, 3)'],
  ['a sum leaves equal values out', /SUM\(/g, 'SUM(DISTINCT '],
  ['an average of integers is an integer', /AVG\(CAST\((.+?) AS DOUBLE\)\)/g, 'CAST(AVG($1) AS DOUBLE)'],
  ['the least is the greatest', /MIN\(/g, 'MAX('],
  ['a count leaves nulls out', 'COUNT(*) AS `_events`', 'COUNT(`event`.`place`) AS `_events`'],
  [
    'windows are not aligned to the epoch',
    /(TUMBLE\(TABLE `timed`, DESCRIPTOR\(`rowtime`\), INTERVAL .+? DAY TO SECOND\(3\))\)/,
    "$1, INTERVAL '0 00:00:00.001' DAY TO SECOND(3))",
  ],
  ['windows are aggregated in two phases', "'ONE_PHASE'", "'TWO_PHASE'"],
]

describe('a fault of the compiler is found', () => {
  /** In these, events come just before and just after their windows close. */
  const cases = casesOf(20_301_149, casesPerJob)

  test.each(faults)('%s', { timeout }, async (_fault, ...altered) => {
    const runs = await flink.run(cases, altered)
    const same = runs.filter((run, index) => {
      const one = cases[index]
      return one && isDeepStrictEqual(madeInFlink(one, run), madeInMemory(one))
    })
    expect(same.length).toBeLessThan(cases.length)
  })
})
