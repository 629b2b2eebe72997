import { expect, test } from 'vitest'
import { count, sum } from '../src/aggregate.ts'
import { backtest, comparedWith } from '../src/backtest.ts'
import type { JsonObject } from '../src/json.ts'
import { pipeline } from '../src/pipeline.ts'
import type { PipelineRecord } from '../src/read-record.ts'
import { tumbling } from '../src/window.ts'
import { hourly, order, orderPlaced, stored } from './orders.ts'

const spend = hourly('spend')
  .groupBy((event) => ({ customer: event.customer }))
  .aggregate((event) => ({ orders: count(), spent: sum(event.amount) }))

/** An event of a minute of that hour, stored at its own time. */
function at(time: string, amount: number, offset: number, partition = 0): PipelineRecord {
  const record = order(time, { amount }, partition)
  return { ...record, offset, timestampMs: Date.parse(`2030-01-01T${time}Z`) }
}

function part(isWhole: boolean, ...partitions: PipelineRecord[][]) {
  return { isWhole, partitions: new Map(partitions.entries()) }
}

const live = (hour: string, fields: JsonObject): JsonObject => ({
  customer: 'ada',
  windowStart: `2030-01-01T${hour}:00:00Z`,
  windowEnd: `2030-01-01T${String(Number(hour) + 1).padStart(2, '0')}:00:00Z`,
  ...fields,
})

const day = [
  at('10:00:00', 1, 0),
  at('11:00:00', 2, 1),
  at('11:30:00', 3, 2),
  at('12:10:00', 4, 3),
  at('13:10:00', 5, 4),
]

test('what was published by the same pipeline does not differ, nor does what is newer on one side', () => {
  const tested = backtest(spend, part(true, day))
  const published = [
    live('10', { orders: 1, spent: 1 }),
    live('11', { orders: 2, spent: 5 * (1 + 1e-12) }),
    live('12', { orders: 1, spent: 4 }),
  ]
  expect(comparedWith(spend, tested, published)).toEqual({ compared: 3, differences: [] })
  // The job has not come so far.
  expect(comparedWith(spend, tested, published.slice(0, 2))).toEqual({ compared: 2, differences: [] })
  // The backtest has not: somebody stored more while it ran.
  const later = live('13', { orders: 9, spent: 9 })
  expect(comparedWith(spend, tested, [...published, later])).toEqual({ compared: 3, differences: [] })
})

test('of each window and group it is told what would be otherwise, by field, and what would be new or gone', () => {
  const dearer = pipeline('spend')
    .from(orderPlaced)
    .where((event) => event.amount.gt(2))
    .window(tumbling('1 hour'))
    .watermark({ outOfOrderness: '5 minutes' })
    .groupBy((event) => ({ customer: event.customer }))
    .aggregate((event) => ({ orders: count(), spent: sum(event.amount) }))
  const published = [
    live('10', { orders: 1, spent: 1 }),
    live('11', { orders: 2, spent: 5 }),
    live('12', { orders: 1 }),
  ]
  const { compared, differences } = comparedWith(dearer, backtest(dearer, part(true, day)), published)
  expect(compared).toBe(3)
  expect(differences).toEqual([
    {
      windowStart: '2030-01-01T10:00:00Z',
      windowEnd: '2030-01-01T11:00:00Z',
      group: { customer: 'ada' },
      kind: 'only-live',
      fields: { orders: { live: 1, backtest: undefined }, spent: { live: 1, backtest: undefined } },
    },
    {
      windowStart: '2030-01-01T11:00:00Z',
      windowEnd: '2030-01-01T12:00:00Z',
      group: { customer: 'ada' },
      kind: 'changed',
      fields: { orders: { live: 2, backtest: 1 }, spent: { live: 5, backtest: 3 } },
    },
    {
      windowStart: '2030-01-01T12:00:00Z',
      windowEnd: '2030-01-01T13:00:00Z',
      group: { customer: 'ada' },
      kind: 'changed',
      fields: { spent: { live: undefined, backtest: 4 } },
    },
  ])
  const none = comparedWith(spend, backtest(spend, part(true, day)), published.slice(1))
  expect(none.differences.map(({ kind }) => kind)).toEqual(['only-backtest', 'changed'])
})

test('of a part of a topic, the windows that may hold what came before it are left out', () => {
  const tested = backtest(spend, part(false, day.slice(1)))
  expect(new Date(tested.fromMs).toISOString() > '2030-01-01T11:00:00Z').toBe(true)
  expect(tested.results).toEqual([])
  const long = [
    ...day.slice(1),
    ...Array.from({ length: 120 }, (_, index) => at(`14:${minute(index)}:00`, 1, 10 + index)),
  ]
  const further = [...long, at('15:10:00', 1, 200), at('16:10:00', 1, 201)]
  expect(
    backtest(spend, part(false, further)).results.map(({ windowStartMs }) => new Date(windowStartMs).getUTCHours()),
  ).toEqual([15])
})

const minute = (index: number) => String(Math.floor(index / 3)).padStart(2, '0')

test('partitions are read in the order in which their records were stored, and one without any holds nothing up', () => {
  const two = part(
    true,
    [at('10:00:00', 1, 0), at('12:10:00', 2, 1)],
    [at('10:30:00', 4, 0, 1), at('12:20:00', 8, 1, 1)],
    [],
  )
  const { evaluation, results } = backtest(spend, two)
  expect(evaluation.outcomes).toEqual(['processed', 'processed', 'processed', 'processed'])
  expect(results.map(({ aggregates }) => aggregates.get('spent'))).toEqual([5])
  // By offset alone, the second partition's first would have come late.
  expect(stored.offset).toBe(0)
})
