import { average, count, countDistinct, first, last, max, min, quantile, sum } from '@millrace/core/aggregate'
import { eventType } from '@millrace/core/event-type'
import { pipeline } from '@millrace/core/pipeline'
import { tumbling } from '@millrace/core/window'
import { expect, test } from 'vitest'
import { evaluatePipeline, type PipelineInput } from '../src/evaluate.ts'
import { hourly, order, orderPlaced, record, stored } from './orders.ts'

const spend = hourly('spend')
  .groupBy((event) => ({ customer: event.customer }))
  .aggregate((event) => ({ orders: count(), spent: sum(event.amount) }))

const utf8 = new TextEncoder()

function aggregatesOf(pipelined: Parameters<typeof evaluatePipeline>[0], ...records: PipelineInput[]) {
  const { open } = evaluatePipeline(pipelined, 1, records)
  return open.map(({ groups, aggregates }) => Object.fromEntries([...groups, ...aggregates]))
}

test('an event is late from the moment that event time has reached the last millisecond of its window', () => {
  const { outcomes, results, open, watermarkMs } = evaluatePipeline(spend, 1, [
    order('10:00:00', { amount: 1 }),
    order('11:04:59.998', { amount: 2 }),
    order('10:59:59.999', { amount: 4 }),
    order('11:04:59.999', { amount: 8 }),
    order('10:59:59.999', { amount: 16 }),
    order('11:00:00', { amount: 64 }),
  ])
  expect(outcomes).toEqual(['processed', 'processed', 'processed', 'processed', 'late', 'processed'])
  expect(results).toEqual([
    {
      windowStartMs: Date.parse('2030-01-01T10:00:00Z'),
      windowEndMs: Date.parse('2030-01-01T11:00:00Z'),
      groups: new Map([['customer', 'ada']]),
      aggregates: new Map<string, unknown>([
        ['orders', 2n],
        ['spent', 5],
      ]),
      provenance: { revision: 1, events: 2, late: 0, filtered: 0, offsets: new Map([[0, [0, 0]]]) },
    },
  ])
  expect(open.map(({ aggregates }) => aggregates.get('spent'))).toEqual([74])
  expect(watermarkMs).toBe(Date.parse('2030-01-01T10:59:59.999Z'))
})

test('event time is that of the slowest partition, none while one has told nothing, and leaves out those that are idle', () => {
  const fast = order('12:00:00', {}, 0)
  const slow = order('10:10:00', {}, 1)
  const late = order('10:00:00', {}, 0)
  expect(evaluatePipeline(spend, 2, [fast, late]).watermarkMs).toBeUndefined()
  expect(evaluatePipeline(spend, 2, [fast, slow, late]).outcomes).toEqual(['processed', 'processed', 'processed'])
  expect(evaluatePipeline(spend, 2, [fast, { idlePartition: 1 }, late]).outcomes).toEqual(['processed', 'late'])
  const woken = evaluatePipeline(spend, 2, [fast, { idlePartition: 1 }, slow, { idlePartition: 0 }, late])
  expect(woken.outcomes).toEqual(['processed', 'late', 'late'])
  expect(woken.watermarkMs).toBe(Date.parse('2030-01-01T11:55:00Z'))
  const asleep = evaluatePipeline(spend, 2, [slow, fast, { idlePartition: 0 }, { idlePartition: 1 }])
  expect(asleep.watermarkMs).toBe(Date.parse('2030-01-01T11:55:00Z'))
})

test('each record has one outcome, and what is filtered or for somebody else moves event time too', () => {
  const paid = pipeline('paid')
    .from(orderPlaced)
    .where((event) => event.amount.gt(0))
    .window(tumbling('1 hour'))
    .watermark({ outOfOrderness: '5 minutes' })
    .groupBy((event) => ({ customer: event.customer }))
    .aggregate(() => ({ orders: count() }))
  const evaluation = evaluatePipeline(paid, 1, [
    record('{'),
    order('12:00:00', { amount: 0 }),
    order('12:00:00'),
    order('10:30:00', { amount: 1 }),
    { ...order('14:00:00', { amount: 1 }), headers: new Map([['millrace_replay_for', 'worker/a']]) },
    { ...order('13:00:00', { amount: 1 }), headers: new Map([['millrace_replay_for', 'flink/paid']]) },
    { partition: 0, ...stored, headers: new Map(), value: null },
  ])
  expect(evaluation.outcomes).toEqual([
    ...['dead-lettered', 'filtered', 'filtered', 'late', 'not-addressed', 'processed', 'dead-lettered'],
  ])
  expect(evaluation.watermarkMs).toBe(Date.parse('2030-01-01T13:55:00Z'))
})

test('a partition of which only malformed records are known holds event time back', () => {
  const evaluation = evaluatePipeline(spend, 2, [order('12:00:00'), record('{', 1), order('10:00:00')])
  expect(evaluation.outcomes).toEqual(['processed', 'dead-lettered', 'processed'])
})

test('where the event type says no time, an event has that of its header', () => {
  const views = pipeline('views')
    .from(eventType('page.viewed', { schema: { type: 'object', properties: { page: { type: 'string' } } } }))
    .window(tumbling('1 minute'))
    .watermark({ outOfOrderness: '1 second' })
    .groupBy((event) => ({ page: event.page }))
    .aggregate(() => ({ views: count() }))
  const { outcomes, open } = evaluatePipeline(views, 1, [
    record('{"page":"/"}', 0, { ce_time: '1969-12-31T23:59:59.999Z' }),
    record('{"page":"/"}', 0, { ce_time: 'yesterday' }),
    record('5', 0, { ce_time: '1970-01-01T00:00:00Z' }),
    record('{}', 0, { ce_time: '1969-12-31T23:59:59.999Z' }),
  ])
  expect(outcomes).toEqual(['processed', 'dead-lettered', 'dead-lettered', 'processed'])
  expect(open[0]).toMatchObject({ windowStartMs: -60_000, windowEndMs: 0 })
})

test('aggregates leave nulls out, and are null over nothing', () => {
  const every = hourly('every')
    .groupBy((event) => ({ customer: event.customer }))
    .aggregate((event) => ({
      orders: count(),
      spent: sum(event.amount),
      items: sum(event.items),
      mean: average(event.items),
      least: min(event.amount),
      most: max(event.items),
    }))
  expect(aggregatesOf(every, order('10:00:00'))).toEqual([
    { customer: 'ada', orders: 1n, spent: null, items: null, mean: null, least: null, most: null },
  ])
  const [some] = aggregatesOf(
    every,
    order('10:00:00', { amount: 1.5, items: 1 }),
    order('10:00:01', { amount: -2, items: 4 }),
    order('10:00:02'),
  )
  expect(some).toEqual({ customer: 'ada', orders: 3n, spent: -0.5, items: 5n, mean: 2.5, least: -2, most: 4n })
})

test('an event that is further ahead of its arrival than its pipeline takes is a dead letter, and moves nothing', () => {
  const timestampMs = Date.parse('2030-01-01T10:00:00Z')
  const { outcomes, watermarkMs } = evaluatePipeline(spend, 1, [
    { ...order('11:00:00'), timestampMs },
    { ...order('11:00:00.001'), timestampMs },
  ])
  expect(outcomes).toEqual(['processed', 'dead-lettered'])
  expect(watermarkMs).toBe(Date.parse('2030-01-01T10:55:00Z'))
})

test('what is computed is null where it is no finite number, and integers wrap', () => {
  const values = pipeline('computed')
    .from(orderPlaced)
    .compute(({ amount, items }) => ({
      ratio: amount.dividedBy(items),
      next: items.plus(1),
      square: amount.times(amount),
    }))
    .window(tumbling('1 hour'))
    .watermark({ outOfOrderness: '5 minutes' })
    .groupBy(({ ratio, next, square }) => ({ ratio, next, square }))
    .aggregate(() => ({ orders: count() }))
  const groups = aggregatesOf(
    values,
    order('10:00:00', { amount: 3, items: 2 }),
    order('10:00:00', { amount: 3, items: 0 }),
    record('{"customer":"ada","at":"2030-01-01T10:00:00Z","amount":1e200,"items":9223372036854775807}'),
    order('10:00:00', { items: 1 }),
  )
  expect(groups).toEqual([
    { ratio: 1.5, next: 3n, square: 9, orders: 1n },
    { ratio: null, next: 1n, square: 9, orders: 1n },
    { ratio: 1e200 / 2 ** 63, next: -9223372036854775808n, square: null, orders: 1n },
    { ratio: null, next: 2n, square: null, orders: 1n },
  ])
})

test('quantiles lie between values, first and last go by event time, and different values are counted once', () => {
  const spread = hourly('spread')
    .groupBy(() => ({}))
    .aggregate((event) => ({
      median: quantile(event.amount, 0.5),
      upper: quantile(event.amount, 0.9),
      customers: countDistinct(event.customer),
      first: first(event.customer),
      last: last(event.coupon),
    }))
  const orders = [
    { ...order('10:00:02', { amount: 4, customer: 'bob', coupon: 'x' }), offset: 1 },
    { ...order('10:00:01', { amount: 1, customer: 'ada' }), offset: 3 },
    { ...order('10:00:01', { amount: 2, customer: 'eve', coupon: 'y' }), offset: 2 },
    { ...order('10:00:03', { amount: 3, customer: 'bob' }), offset: 4 },
  ]
  expect(aggregatesOf(spread, ...orders)).toEqual([{ median: 2.5, upper: 3.7, customers: 3n, first: 'eve', last: 'x' }])
  expect(() =>
    hourly('none')
      .groupBy(() => ({}))
      .aggregate((event) => ({ half: quantile(event.amount, 50) })),
  ).toThrow('write a share from 0 to 1')
})

test('integers have 64 bits, and their sum wraps', () => {
  const items = hourly('items')
    .groupBy(() => ({}))
    .aggregate((event) => ({ items: sum(event.items) }))
  const big = (text: string) => record(`{"customer":"ada","at":"2030-01-01T10:00:00Z","items":${text}}`)
  expect(aggregatesOf(items, big('9007199254740993'), big('1.0'), big('1e3'))).toEqual([{ items: 9007199254741994n }])
  expect(aggregatesOf(items, big('9223372036854775807'), big('1'))).toEqual([{ items: -9223372036854775808n }])
  const { outcomes } = evaluatePipeline(items, 1, [big('9223372036854775808'), big('0.5'), big('1e19'), big('"1"')])
  expect(outcomes).toEqual(['dead-lettered', 'dead-lettered', 'dead-lettered', 'dead-lettered'])
})

test.each([
  ['invalid UTF-8', new Uint8Array([0x7b, 0xff, 0x7d])],
  ['a byte order mark', utf8.encode('\uFEFF{"customer":"ada","at":"2030-01-01T10:00:00Z"}')],
  ['no object', utf8.encode('[]')],
  ['a required field that is null', utf8.encode('{"customer":null,"at":"2030-01-01T10:00:00Z"}')],
  ['a lone surrogate', utf8.encode('{"customer":"\\ud800","at":"2030-01-01T10:00:00Z"}')],
  ['no time', utf8.encode('{"customer":"ada","at":"2030-02-30T10:00:00Z"}')],
  ['a number beyond doubles', utf8.encode('{"customer":"ada","at":"2030-01-01T10:00:00Z","amount":1e999}')],
])('%s is malformed', (_what, value) => {
  const { outcomes } = evaluatePipeline(spend, 1, [{ partition: 0, ...stored, headers: new Map(), value }])
  expect(outcomes).toEqual(['dead-lettered'])
})

test('groups are told apart by value, not by how they are written', () => {
  const byCoupon = hourly('by-coupon')
    .groupBy((event) => ({ coupon: event.coupon, amount: event.amount }))
    .aggregate(() => ({ orders: count() }))
  const numbers = ['1', '1.0', '0', '-0'].map((amount) =>
    record(`{"customer":"ada","at":"2030-01-01T10:00:00Z","coupon":"null","amount":${amount}}`),
  )
  const counts = aggregatesOf(byCoupon, ...numbers, order('10:00:00', { coupon: null }))
  expect(counts.map(({ coupon, amount, orders }) => [coupon, amount, orders])).toEqual([
    ['null', 1, 2n],
    ['null', 0, 1n],
    ['null', -0, 1n],
    [null, null, 1n],
  ])
})

test('conditions know three values, times and the order of texts', () => {
  const outcomeOf = (where: Parameters<ReturnType<typeof from>['where']>[0], fields: Record<string, unknown> = {}) => {
    const counted = from()
      .where(where)
      .window(tumbling('1 hour'))
      .watermark({ outOfOrderness: '1 second' })
      .groupBy(() => ({}))
      .aggregate(() => ({ orders: count() }))
    return evaluatePipeline(counted, 1, [order('10:00:00', fields)]).outcomes[0]
  }
  const from = () => pipeline('conditions').from(orderPlaced)
  expect(outcomeOf((event) => event.coupon.eq('x').not())).toBe('filtered')
  expect(outcomeOf((event) => event.coupon.eq('x').or(event.customer.eq('ada')))).toBe('processed')
  expect(outcomeOf((event) => event.coupon.eq('x').and(event.customer.eq('bob')).not())).toBe('processed')
  expect(outcomeOf((event) => event.coupon.isNull())).toBe('processed')
  expect(outcomeOf((event) => event.at.lt('2030-01-01T11:30:00+01:00'))).toBe('processed')
  expect(outcomeOf((event) => event.customer.lt('adam'))).toBe('processed')
  expect(outcomeOf((event) => event.items.gt(0.5), { items: 1 })).toBe('processed')
  expect(outcomeOf((event) => event.items.gt(2 ** 53 - 1), { items: 2 ** 53 })).toBe('processed')
  expect(() => outcomeOf((event) => event.at.lt('noon'))).toThrow('"noon" is not a time')
})
