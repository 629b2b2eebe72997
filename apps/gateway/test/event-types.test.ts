import { type CatalogEntry, catalogEntryOf } from '@millrace/core/catalog'
import { eventType } from '@millrace/core/event-type'
import { afterEach, expect, test, vi } from 'vitest'
import { createEventTypes } from '../src/event-types.ts'

afterEach(() => {
  vi.useRealTimers()
})

const usable = catalogEntryOf(eventType('order.placed', { schema: { type: 'object' } }), {
  id: 1,
  version: 1,
  references: [],
})

/** An entry whose schema is no schema, and that counts how often somebody tries to use it. */
function unusable(id: number) {
  let tries = 0
  const entry: CatalogEntry = {
    ...usable,
    schemaId: id,
    get schema() {
      tries += 1
      return { type: 'nothing' }
    },
  }
  return { entry, tries: () => tries }
}

test('a schema that cannot be used is tried once in ten seconds, and its events are to be sent again', () => {
  vi.useFakeTimers({ toFake: ['performance'] })
  const { entry, tries } = unusable(7)
  const told: string[] = []
  const { codec } = createEventTypes({ entries: () => new Map() }, ({ message }) => told.push(message))
  const use = () => codec(entry)
  for (let event = 0; event < 5; event++) {
    expect(use).toThrow(expect.objectContaining({ code: 'registry.refused' }))
  }
  expect(told).toHaveLength(1)
  expect(told[0]).toMatch(/the schema 7 of order\.placed cannot be used: /)
  const once = tries()
  vi.advanceTimersByTime(10_001)
  expect(use).toThrow()
  expect(tries()).toBe(2 * once)
})

test('one that cannot be used is nothing to the others', () => {
  const { codec } = createEventTypes({ entries: () => new Map() })
  expect(() => codec(unusable(7).entry)).toThrow()
  expect(codec(usable).fromJson({})).toMatchObject({ ok: true })
})

test('topics of like names are read under scopes of their own', () => {
  const types = ['com.example.OrderPlaced', 'com.example.orderplaced', 'com-example-OrderPlaced']
  const entries = new Map(types.map((type) => [type, { ...usable, type, topic: type }]))
  const { readable } = createEventTypes({ entries: () => entries })
  for (const type of types) {
    expect(readable(type)).toEqual({ action: 'events:read', types: [type] })
    expect(readable(`${type}.dlq`)).toEqual({ action: 'dlq:read', types: [type] })
  }
  for (const other of ['com_example_OrderPlaced', 'com.example.OrderPlaced.DLQ', 'com.example.OrderPlaced_dlq']) {
    expect(readable(other)).toBeUndefined()
  }
})
