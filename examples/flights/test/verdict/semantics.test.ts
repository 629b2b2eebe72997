import fc from 'fast-check'
import { expect, test } from 'vitest'
import { delayPerAirport, pipelines } from '../../src/pipelines.ts'
import { openDatabase } from '@millrace/ledger/database'
import { semanticsOf } from '../../src/verdict/semantics.ts'
import { lateCount, lateCountSql } from '../late-count.ts'

test('the semantics are those of the pipeline', () => {
  expect(semanticsOf(delayPerAirport)).toMatchObject({
    pipeline: 'delay-per-airport',
    reader: 'flink/delay-per-airport',
    partitions: 6,
    window: { kind: 'tumbling', sizeMs: 3_600_000 },
    outOfOrdernessMs: 300_000,
    correctedForMs: 7_200_000,
  })
})

test('every pipeline of the main job has a recomputation, of all that its results say', () => {
  for (const pipeline of pipelines) {
    const { group, aggregates } = semanticsOf(pipeline)
    expect(Object.keys(pipeline.groupBy)).toEqual([group])
    const columns = Object.keys(pipeline.aggregates).map((name) =>
      name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
    )
    expect(Object.keys(aggregates)).toEqual(columns)
  }
})

test('a pipeline that the verdict does not know is refused', () => {
  expect(() => semanticsOf({ ...delayPerAirport, name: 'other' })).toThrow('does not recompute the pipeline other')
})

const stream = fc.record({
  times: fc.array(fc.integer({ min: -150, max: 150 }), { maxLength: 120 }),
  windowMs: fc.integer({ min: 1, max: 40 }),
  outOfOrdernessMs: fc.integer({ min: 0, max: 30 }),
})

test('late events are counted as a watermark finds them: in order, with ties, and before 1970', async () => {
  const database = await openDatabase()
  await fc.assert(
    fc.asyncProperty(stream, async ({ times, ...rule }) => {
      const rows = times.map((time, position) => `(${position * 3}, ${time})`)
      await database.run('CREATE OR REPLACE TABLE stream (position BIGINT, event_ms BIGINT)')
      // The order of a table's rows says nothing: positions do.
      if (rows.length > 0) await database.run(`INSERT INTO stream VALUES ${rows.reverse().join()}`)
      expect(await database.number(lateCountSql('stream', rule))).toBe(lateCount(times, rule))
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
  const rule = { windowMs: 60, outOfOrdernessMs: 10 }
  const database = await openDatabase()
  const rows = times.map((time, position) => `(${position}, ${time})`).join()
  const stream = `(VALUES ${rows}) AS stream(position, event_ms)`
  expect(await database.number(lateCountSql(stream, rule))).toBe(late)
  expect(lateCount(times, rule)).toBe(late)
  database.close()
})
