import { isDeepStrictEqual } from 'node:util'
import { afterAll, describe, expect, test } from 'vitest'
import { madeInFlink, madeInMemory } from './differential/compare.ts'
import { type Altered, isAltered, openFlink } from './differential/flink-runs.ts'
import { casesOf, settledCasesOf } from './differential/generate.ts'

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

test.each([2, 4])('%i instances of what a job is made of have the results of one', { timeout }, async (parallelism) => {
  const cases = settledCasesOf(seed + parallelism, 2 * casesPerJob).filter(({ partitions }) => partitions > 1)
  expect(cases.length).toBeGreaterThan(10)
  const runs = await flink.run(cases, undefined, parallelism)
  for (const [index, run] of runs.entries()) {
    const one = cases[index]
    if (one) expect(madeInFlink(one, run)).toEqual(madeInMemory(one))
  }
})

/** Faults of the compiler: what it writes, and what it should not write instead. */
const faults: readonly (readonly [fault: string, ...Altered])[] = [
  ['a window is closed a millisecond late', ' <= `watermark`', ' < `watermark`'],
  [
    'a window is closed a millisecond early',
    " - INTERVAL '0 00:00:00.001' DAY TO SECOND(3) <=",
    " - INTERVAL '0 00:00:00.002' DAY TO SECOND(3) <=",
  ],
  ['disorder is not tolerated', /AS `rowtime` - INTERVAL .+$/m, 'AS `rowtime`'],
  ['what a filter does not know passes', " IS NOT TRUE THEN 'filtered'", " IS FALSE THEN 'filtered'"],
  [
    'what is late is counted as processed',
    "<= `watermark`, FALSE) THEN 'late'",
    "<= `watermark`, FALSE) THEN 'processed'",
  ],
  ['a replay for others is taken', "THEN 'not-addressed'", "THEN 'processed'"],
  ['malformed records are filtered', "THEN 'dead-lettered'", "THEN 'filtered'"],
  ['malformed records move event time', 'TO_TIMESTAMP_LTZ(-62167219200000, 3)', 'TO_TIMESTAMP_LTZ(4102444800000, 3)'],
  ['a sum is the greatest', /SUM\(/g, 'MAX('],
  [
    'an average of integers is an integer',
    /AVG\(CAST\((.+?) AS DOUBLE\)\)( FILTER \(.+?\))?/g,
    'CAST(AVG($1)$2 AS DOUBLE)',
  ],
  ['the least is the greatest', /MIN\(`event`/g, 'MAX(`event`'],
  ['a count leaves nulls out', /COUNT\(\*\)(.*) AS `_computed`/, 'COUNT(`event`.`place`)$1 AS `_computed`'],
  [
    'windows are not aligned to the epoch',
    /((TUMBLE|HOP)\(TABLE `grouped`, DESCRIPTOR\(`rowtime`\)(, INTERVAL '[^']+' DAY TO SECOND\(3\)){1,2})\)/,
    "$1, INTERVAL '0 00:00:00.001' DAY TO SECOND(3))",
  ],
  [
    'an event is in one of its sliding windows only',
    /HOP\((.+?), INTERVAL '[^']+' DAY TO SECOND\(3\), (.+?)\)\)/,
    'TUMBLE($1, $2))',
  ],
  [
    'what is late for one window is late for all',
    /LAST_WINDOW_END\((`event_time`), \d+, (\d+)\)/g,
    'LAST_WINDOW_END($1, $2, $2)',
  ],
  ['windows are not kept for all corrections', /(allow-lateness' = ')\d{2,}( ms')/, '$11$2'],
  ['a revision is counted twice', 'THEN 1 ELSE 0 END', 'THEN 2 ELSE 1 END'],
  ['revisions are left out', 'INSERT, UPDATE_AFTER', 'INSERT'],
  ['a session ends a millisecond late', /(SESSION\(.+?, INTERVAL '[^']+)0(' DAY TO SECOND\(3\)\)\))/, '$11$2'],
  [
    'what is too far ahead is taken',
    / \+ INTERVAL '[^']+' DAY TO SECOND\(3\)/g,
    " + INTERVAL '99 00:00:00.001' DAY TO SECOND(3)",
  ],
  ['what is filtered is in the result', / FILTER \(WHERE `outcome` = 'processed'\)/g, ''],
  ['the first is the last', /FIRST_BY_TIME\(/g, 'LAST_BY_TIME('],
  ['different values are all counted', /COUNT\(DISTINCT /g, 'COUNT('],
  ['windows are aggregated in two phases', "'ONE_PHASE'", "'TWO_PHASE'"],
]

describe('a fault of the compiler is found', () => {
  const all = casesOf(20_301_152, 100)

  test.each(faults)('%s', { timeout }, async (_fault, ...altered) => {
    const cases = all.filter((one) => isAltered(one, altered)).slice(0, 14)
    const runs = await flink.run(cases, altered)
    const same = runs.filter((run, index) => {
      const one = cases[index]
      return one && isDeepStrictEqual(madeInFlink(one, run), madeInMemory(one))
    })
    expect(same.length).toBeLessThan(cases.length)
  })
})
