import { catalogEntryOf } from '@millrace/core/catalog'
import { type DeclaredType, eventType } from '@millrace/core/event-type'
import { expect, test } from 'vitest'
import { conflictOf } from '../src/event-type-conflict.ts'

const order: DeclaredType = eventType('order.placed', { schema: { type: 'object' }, partitions: 6 })
const entry = catalogEntryOf(order, { id: 1, version: 1, references: [] })
const entries = new Map([[entry.type, entry]])
const topics = new Map([
  ['order.placed', { partitions: 6 }],
  ['order.placed.dlq', { partitions: 1 }],
])
const nothing = { entries: new Map(), topics: new Map() }

test('a new type, and one that stays where it is, give way to nothing', () => {
  expect(conflictOf(order, nothing, false)).toBeUndefined()
  expect(conflictOf(order, { entries, topics }, false)).toBeUndefined()
})

test('a type keeps its format and its topic', () => {
  expect(conflictOf({ ...order, format: 'avro' }, { entries, topics }, false)?.member).toBe('format')
  expect(conflictOf({ ...order, topic: 'orders' }, { entries, topics }, false)?.member).toBe('topic')
})

test("another type's topic is not to be had", () => {
  const conflict = conflictOf({ ...order, name: 'order.changed' }, { entries, topics }, false)
  expect(conflict).toEqual({ member: 'topic', detail: 'the topic "order.placed" is that of order.placed' })
})

test('a topic that somebody else made is left alone; one that a request left behind is used', () => {
  const foreign = new Map([['order.placed', { partitions: 6 }]])
  expect(conflictOf(order, { entries: new Map(), topics: foreign }, true)?.member).toBe('topic')
  expect(conflictOf(order, { entries: new Map(), topics }, false)).toBeUndefined()
})

test('partitions grow when that is asked for, and never shrink', () => {
  expect(conflictOf({ ...order, partitions: 5 }, { entries, topics }, true)?.member).toBe('partitions')
  expect(conflictOf({ ...order, partitions: 7 }, { entries, topics }, false)?.detail).toContain('"repartition": true')
  expect(conflictOf({ ...order, partitions: 7 }, { entries, topics }, true)).toBeUndefined()
})
