import { describe, expect, expectTypeOf, test } from 'vitest'
import { average, max, count, sum } from '../src/aggregate.ts'
import { eventType } from '../src/event-type.ts'
import { columnsOf } from '../src/expression.ts'
import { drop, pipeline, toTopic } from '../src/pipeline.ts'
import { tumbling } from '../src/window.ts'

const orderPlaced = eventType('order.placed', {
  schema: {
    type: 'object',
    properties: {
      customer: { type: 'string' },
      amount: { type: 'number' },
      items: { type: 'integer' },
      at: { type: 'string', format: 'date-time' },
      address: { type: 'object' },
    },
    required: ['customer', 'amount', 'at'],
  },
  key: '/customer',
  time: '/at',
})

const spend = pipeline('spend-per-customer')
  .from(orderPlaced)
  .where((order) => order.amount.gt(0))
  .window(tumbling('1 hour'))
  .watermark({ outOfOrderness: '5 minutes' })
  .late(toTopic())
  .groupBy((order) => ({ customer: order.customer }))
  .aggregate((order) => ({ orders: count(), spent: sum(order.amount), meanItems: average(order.items) }))

describe('an event type', () => {
  test('knows the scalar fields of its schema, and which of them may be missing', () => {
    expect(orderPlaced.fields).toEqual({
      customer: { type: 'string', nullable: false },
      amount: { type: 'number', nullable: false },
      items: { type: 'integer', nullable: true },
      at: { type: 'timestamp', nullable: false },
    })
  })

  test.each([
    ...['order.placed', 'com.example.OrderPlaced', 'order_placed.v1', 'Order-Placed', 'o', 'order__placed-'],
    ...['order.dlq.copy', 'order_dlq', 'dlq', 'a'.repeat(200)],
  ])('takes the name %s', (name) => {
    expect(eventType(name, { schema: { type: 'object' } })).toMatchObject({ name, topic: name })
  })

  test.each([
    ...['_internal', 'order.dlq', 'order.late', 'Order.DLQ', 'order.Late', 'connect-x', 'millrace-x'],
    ...[
      'order..placed',
      '.order',
      'order.',
      '1order',
      '-order',
      'order placed',
      'order/placed',
      'order:placed',
      'örder',
    ],
    ...['order\n', '..', '', 'a'.repeat(201)],
  ])('refuses the name %j', (name) => {
    expect(() => eventType(name, { schema: { type: 'object' } })).toThrow(RangeError)
  })

  test('refuses a time that is not a date-time', () => {
    const schema = { type: 'object', properties: { at: { type: 'string' } } } as const
    expect(() => eventType('order.placed', { schema, time: '/at' })).toThrow(/date-time/)
  })
})

describe('a pipeline', () => {
  test('publishes an event type of its own, with window, group and aggregates as fields', () => {
    expect(spend.result.name).toBe('spend-per-customer')
    expect(spend.result.fields).toEqual({
      customer: { type: 'string', nullable: false },
      windowStart: { type: 'timestamp', nullable: false },
      windowEnd: { type: 'timestamp', nullable: false },
      orders: { type: 'integer', nullable: false },
      spent: { type: 'number', nullable: true },
      meanItems: { type: 'number', nullable: true },
    })
    expect(spend.result.key).toBe('/customer')
  })

  test('carries the types of the event to those of the result', () => {
    expectTypeOf(spend.result.fields.customer.type).toEqualTypeOf<'string'>()
    expectTypeOf(spend.result.fields.spent.type).toEqualTypeOf<'number'>()
  })

  test('does not compile with a field that is not there or the sum of a text, and says so where nothing is compiled', () => {
    const from = pipeline('wrong').from(orderPlaced)
    const grouped = from
      .window(tumbling('1 hour'))
      .watermark({ outOfOrderness: '1 second' })
      .groupBy((order) => ({ customer: order.customer }))
    // @ts-expect-error -- a text has no sum
    expect(() => grouped.aggregate((order) => ({ wrong: sum(order.customer) }))).toThrow(
      'the field "customer" is a string, which has no sum: only numbers are',
    )
    expect((): unknown => Reflect.get(columnsOf(orderPlaced.fields), 'price')).toThrow(
      'there is no field "price": the fields are customer',
    )
    // @ts-expect-error -- a text cannot be multiplied
    expect(() => from.compute((order) => ({ wrong: order.customer.times(2) }))).toThrow('cannot be computed with')
    expect(() => from.compute((order) => ({ customer: order.amount.times(2) }))).toThrow(
      'there is a field "customer" already',
    )
  })

  test('computes fields of others, with their types', () => {
    const orderParts = eventType('order.parts', {
      schema: {
        type: 'object',
        properties: {
          parts: { type: 'integer' },
          price: { type: 'number' },
          at: { type: 'string', format: 'date-time' },
        },
        required: ['parts', 'price', 'at'],
      },
      time: '/at',
    })
    const parts = pipeline('parts')
      .from(orderParts)
      .compute((order) => ({ cost: order.price.times(order.parts), most: order.parts.plus(1) }))
      .compute((order) => ({ share: order.cost.dividedBy(order.most) }))
      .window(tumbling('1 hour'))
      .watermark({ outOfOrderness: '1 second' })
      .groupBy((order) => ({ most: order.most }))
      .aggregate((order) => ({ cost: sum(order.cost), share: max(order.share) }))
    expectTypeOf(parts.result.fields.most.type).toEqualTypeOf<'integer'>()
    expectTypeOf(parts.result.fields.cost.type).toEqualTypeOf<'number'>()
    expect(parts.result.fields).toMatchObject({ most: { type: 'integer', nullable: false }, share: { type: 'number' } })
    expect(() =>
      pipeline('half')
        .from(orderParts)
        .compute((order) => ({ half: order.parts.times(0.5) })),
    ).toThrow('0.5 stands beside an integer')
  })

  test('runs in one instance of its parts unless more are asked for, and its types are the same', () => {
    expect(spend.parallelism).toBe(1)
    const spread = pipeline('spread', { parallelism: 4 })
      .from(orderPlaced)
      .compute((order) => ({ twice: order.amount.times(2) }))
      .window(tumbling('1 hour'))
      .watermark({ outOfOrderness: '1 second' })
      .groupBy((order) => ({ customer: order.customer }))
      .aggregate((order) => ({ spent: sum(order.twice) }))
    expect(spread.parallelism).toBe(4)
    expectTypeOf(spread.result.fields.customer.type).toEqualTypeOf<'string'>()
    expectTypeOf(spread.result.fields.spent.type).toEqualTypeOf<'number'>()
  })

  test.each(['99 milliseconds', '61 seconds', '1 day'] as const)('refuses to commit every %s', (commitEvery) => {
    expect(() => pipeline('seldom', { commitEvery })).toThrow(
      `pipeline "seldom": commitEvery is from 100 milliseconds to 1 minute, not ${commitEvery}`,
    )
  })

  test.each([0, -1, 1.5, 129, NaN, Infinity])('refuses a parallelism of %d', (parallelism) => {
    expect(() => pipeline('spread', { parallelism })).toThrow(
      'pipeline "spread": parallelism is a whole number from 1 to 128',
    )
  })

  test('refuses a parallelism that leaves instances without a partition', () => {
    const wide = eventType('order.wide', { schema: { type: 'object' }, partitions: 128 })
    expect(() => pipeline('spread', { parallelism: 128 }).from(wide)).not.toThrow()
    expect(() => pipeline('spread', { parallelism: 7 }).from(orderPlaced)).toThrow(
      /of 7 instances some had none of the 6 partitions of order\.placed/,
    )
  })

  test('keeps late events in a topic of its own only where it is told to', () => {
    expect(spend.lateTopic).toBe('spend-per-customer.late')
    const dropping = pipeline('dropping')
      .from(orderPlaced)
      .window(tumbling('1 hour'))
      .watermark({ outOfOrderness: '1 second' })
      .late(drop())
      .groupBy(() => ({}))
      .aggregate(() => ({ orders: count() }))
    expect(dropping.lateTopic).toBeUndefined()
    expect(dropping.result.key).toBeUndefined()
  })

  test('refuses a result field that is named twice', () => {
    const grouped = pipeline('twice')
      .from(orderPlaced)
      .window(tumbling('1 hour'))
      .watermark({ outOfOrderness: '1 second' })
      .groupBy((order) => ({ customer: order.customer }))
    expect(() => grouped.aggregate(() => ({ customer: count() }))).toThrow(/"customer" twice/)
  })
})
