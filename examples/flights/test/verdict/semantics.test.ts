import fc from 'fast-check'
import { expect, test } from 'vitest'
import { departuresPerAirport } from '../../src/platform.ts'
import { openDatabase } from '@millrace/ledger/database'
import { type Semantics, semanticsOf } from '../../src/verdict/semantics.ts'
import { lateCount, lateCountSql } from '../late-count.ts'

test('the semantics are those of the pipeline', () => {
  expect(semanticsOf(departuresPerAirport)).toEqual({
    reader: 'flink/departures-per-airport',
    eventTopic: 'flight.departed',
    partitions: 6,
    windowMs: 3_600_000,
    outOfOrdernessMs: 300_000,
  })
})

const stream = fc.record({
  times: fc.array(fc.integer({ min: -150, max: 150 }), { maxLength: 120 }),
  windowMs: fc.integer({ min: 1, max: 40 }),
  outOfOrdernessMs: fc.integer({ min: 0, max: 30 }),
})

test('late events are counted as a watermark finds them: in order, with ties, and before 1970', async () => {
  const database = await openDatabase()
  await fc.assert(
    fc.asyncProperty(stream, async ({ times, ...settings }) => {
      const semantics: Semantics = { reader: 'flink/p', eventTopic: 't', partitions: 1, ...settings }
      const rows = times.map((time, position) => `(${position * 3}, ${time})`)
      await database.run('CREATE OR REPLACE TABLE stream (position BIGINT, event_ms BIGINT)')
      // The order of a table's rows says nothing: positions do.
      if (rows.length > 0) await database.run(`INSERT INTO stream VALUES ${rows.reverse().join()}`)
      expect(await database.number(lateCountSql('stream', semantics))).toBe(lateCount(times, semantics))
    }),
    { numRuns: 100 },
  )
  database.close()
})

test.each([
  ['the watermark is one millisecond before the last of the window', [0, 68, 59], 0],
  ['the watermark has reached the last millisecond of the window', [0, 69, 59], 1],
  ['the event is as late as the watermark, in a window that is open', [0, 75, 65], 0],
  ['it is the first of its partition', [0], 0],
  ['an event that is late does not move the watermark back', [0, 130, 5, 5], 2],
])('when %s', async (_, times, late) => {
  const semantics: Semantics = { reader: 'flink/p', eventTopic: 't', partitions: 1, windowMs: 60, outOfOrdernessMs: 10 }
  const database = await openDatabase()
  const rows = times.map((time, position) => `(${position}, ${time})`).join()
  const stream = `(VALUES ${rows}) AS stream(position, event_ms)`
  expect(await database.number(lateCountSql(stream, semantics))).toBe(late)
  expect(lateCount(times, semantics)).toBe(late)
  database.close()
})
