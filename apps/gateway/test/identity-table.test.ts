import { createHash } from 'node:crypto'
import { assert, constantFrom, array, record, integer, property } from 'fast-check'
import { expect, test } from 'vitest'
import { createIdentityTable, type Place } from '../src/identity-table.ts'

const place = (offset: number): Place => ({
  topic: `topic-${offset % 3}`,
  partition: offset % 7,
  offset,
  timestampMs: 1_900_000_000_000 + offset,
  schemaId: 4_000_000_000,
})
const digest = (name: string) => createHash('sha256').update(name).digest()
const fingerprint = (name: string) => digest(name).toString('hex').slice(0, 32)
const key = (name: string) => digest(name).toString('latin1').slice(0, 16)

test('an identity is found with all that was kept of it', () => {
  const table = createIdentityTable(10)
  table.put(key('a'), fingerprint('0a'), place(2 ** 40))
  expect(table.find(key('a'))).toEqual(place(2 ** 40))
  expect(table.find(key('b'))).toBeUndefined()
  expect(table.has(key('a'), fingerprint('0a'))).toBe(true)
  expect(table.has(key('a'), fingerprint('a'))).toBe(false)
  expect(table.has(key('b'), fingerprint('0a'))).toBe(false)
  expect(table.size()).toBe(1)
})

test('the oldest identity makes room for the newest', () => {
  const table = createIdentityTable(3)
  for (const name of ['a', 'b', 'c', 'd']) table.put(key(name), fingerprint(name), place(1))
  expect(['a', 'b', 'c', 'd'].map((name) => table.find(key(name)) !== undefined)).toEqual([false, true, true, true])
  expect(table.size()).toBe(3)
})

test('behaves as a map that forgets its oldest keys, however keys crowd', () => {
  // Keys of one home, of neighbouring homes, and at the end of the index, so that probing wraps around.
  const homes = ['\0\0\0\0', '\0\0\0\u0001', '\0\0\0\u000f', '\u00ff\u00ff\u00ff\u00ff']
  const keys = homes.flatMap((home) => Array.from({ length: 5 }, (_, n) => `${home}${String(n).repeat(12)}`))
  const puts = array(record({ key: constantFrom(...keys), offset: integer({ min: 0, max: 1_000 }) }), {
    maxLength: 200,
  })
  assert(
    property(puts, integer({ min: 1, max: 8 }), (all, capacity) => {
      const table = createIdentityTable(capacity)
      const model = new Map<string, number>()
      for (const { key, offset } of all) {
        table.put(key, fingerprint(key), place(offset))
        if (!model.has(key) && model.size === capacity) model.delete([...model.keys()][0] ?? '')
        model.set(key, offset)
      }
      for (const key of keys) expect(table.find(key)?.offset).toBe(model.get(key))
      expect(table.size()).toBe(model.size)
    }),
  )
})
