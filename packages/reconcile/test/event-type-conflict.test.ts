import { catalogEntryOf } from '@millrace/core/catalog'
import { type DeclaredType, eventType } from '@millrace/core/event-type'
import { expect, test } from 'vitest'
import { conflictOf, partitionsConflict } from '../src/event-type-conflict.ts'

const order: DeclaredType = eventType('order.placed', { schema: { type: 'object' }, partitions: 6 })
const entry = catalogEntryOf(order, { id: 1, version: 1, references: [] })
const entries = new Map([[entry.type, entry]])
const topics = new Map([
  ['order.placed', { partitions: 6 }],
  ['order.placed.dlq', { partitions: 1 }],
])
const nothing = { entries: new Map(), topics: new Map() }

test('a new type, and one that stays where it is, give way to nothing', () => {
  expect(conflictOf(order, nothing)).toBeUndefined()
  expect(conflictOf(order, { entries, topics })).toBeUndefined()
})

test('a type keeps its format and its topic', () => {
  expect(conflictOf({ ...order, format: 'avro' }, { entries, topics })?.pointer).toBe('/format')
  expect(conflictOf({ ...order, topic: 'orders' }, { entries, topics })?.pointer).toBe('/topic')
})

test("another type's topic is not to be had", () => {
  const conflict = conflictOf({ ...order, name: 'order.changed' }, { entries, topics })
  expect(conflict).toEqual({ pointer: '/topic', detail: 'the topic "order.placed" is that of order.placed' })
})

test('a topic that somebody else made is left alone; one that a request left behind is used', () => {
  const foreign = new Map([['order.placed', { partitions: 6 }]])
  expect(conflictOf(order, { entries: new Map(), topics: foreign })?.pointer).toBe('/topic')
  expect(conflictOf(order, { entries: new Map(), topics })).toBeUndefined()
})

test('partitions grow when that is asked for, and never shrink', () => {
  const topic = 'order.placed'
  expect(partitionsConflict({ topic, partitions: 6 }, undefined, false)).toBeUndefined()
  expect(partitionsConflict({ topic, partitions: 5 }, 6, true)?.pointer).toBe('/partitions')
  expect(partitionsConflict({ topic, partitions: 7 }, 6, false)?.detail).toContain('"repartition": true')
  expect(partitionsConflict({ topic, partitions: 7 }, 6, true)).toBeUndefined()
})
