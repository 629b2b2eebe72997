import { expect, test } from 'vitest'
import { kafkaReader } from '../src/access.ts'
import { count } from '../src/aggregate.ts'
import { type EventType, eventType } from '../src/event-type.ts'
import { pipeline, toTopic } from '../src/pipeline.ts'
import { tumbling } from '../src/window.ts'
import { definePlatform } from '../src/platform.ts'
import { snowflake } from '../src/sink.ts'

const schema = { type: 'object', properties: { id: { type: 'string' } } } as const
const one = eventType('one', { schema })
const two = eventType('two', { schema })

test('a sink must read from something that the platform declares', () => {
  const sink = snowflake({ from: two, database: 'D', schema: 'S', table: 'T' })
  expect(() => definePlatform({ events: [one], sinks: [sink] })).toThrow(/"two", which the platform does not declare/)
})

test('neither a pipeline nor a sink reads a type with sensitive pointers: they would give it up in plain', () => {
  const secret = eventType('secret', { schema, sensitive: ['/id'] })
  const counted = pipeline('counted')
    .from(secret)
    .window(tumbling('1 hour'))
    .watermark({ outOfOrderness: '1 minute' })
    .late(toTopic())
    .groupBy((event) => ({ id: event.id }))
    .aggregate(() => ({ events: count() }))
  const sink = snowflake({ from: secret, database: 'D', schema: 'S', table: 'T' })
  const plain = /reads from "secret", which has sensitive pointers/
  expect(() => definePlatform({ events: [secret], pipelines: [counted] })).toThrow(plain)
  expect(() => definePlatform({ events: [secret], sinks: [sink] })).toThrow(plain)
  expect(definePlatform({ events: [secret] }).events).toEqual([secret])
})

test('no two parts have one name', () => {
  expect(() => definePlatform({ events: [one, one] })).toThrow(/event type "one" twice/)
})

test('a table holds the events of one type', () => {
  const sinks = [one, two].map((from) => snowflake({ from, database: 'D', schema: 'S', table: 'T' }))
  expect(() => definePlatform({ events: [one, two], sinks })).toThrow(/table "D\.S\.T" twice/)
})

test('types of like names have sinks of their own', () => {
  const events = ['order.placed', 'order-placed'].map((name) => eventType(name, { schema }))
  const sinks = events.map((from, index) => snowflake({ from, database: 'D', schema: 'S', table: `T${index}` }))
  expect(definePlatform({ events, sinks }).sinks.map(({ name }) => name)).toEqual([
    'snowflake-order.placed',
    'snowflake-order-placed',
  ])
})

test.each([
  ['order.placed', 'order_placed'],
  ['order', 'order_dlq'],
  ['hourly', 'hourly_late'],
])('topics that Kafka would not tell apart are refused: those of %s and %s', (name, other) => {
  const hourly = pipeline(name)
    .from(one)
    .window(tumbling('1 hour'))
    .watermark({ outOfOrderness: '1 second' })
    .late(toTopic())
    .groupBy(() => ({}))
    .aggregate(() => ({ events: count() }))
  const second: EventType = { ...two, name: other, topic: other }
  expect(() => definePlatform({ events: [one, second], pipelines: [hourly] })).toThrow(
    new RegExp(`"${other}" .*alone, which Kafka does not tell apart`),
  )
})

test('a reader may read the dead letters of what it reads', () => {
  expect(kafkaReader('auditor', { reads: [one] }).topics).toEqual(['one', 'one.dlq'])
})

test('a table name that needs quoting is refused', () => {
  expect(() => snowflake({ from: one, database: 'D', schema: 'S', table: 'my table' })).toThrow(/upper-case/)
})
