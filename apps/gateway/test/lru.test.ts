import { expect, test } from 'vitest'
import { createLru } from '../src/lru.ts'

test('what was used longest ago is forgotten first', () => {
  const lru = createLru<number>({ entriesMax: 2, keysLengthMax: 100 })
  lru.set('a', 1)
  lru.set('b', 2)
  expect(lru.get('a')).toBe(1)
  lru.set('c', 3)
  expect([lru.get('a'), lru.get('b'), lru.get('c'), lru.size()]).toEqual([1, undefined, 3, 2])
})

test('long keys are bounded by what they hold together', () => {
  const lru = createLru<number>({ entriesMax: 100, keysLengthMax: 25 })
  for (const letter of 'abcdef') lru.set(letter.repeat(10), 1)
  expect(lru.size()).toBe(2)
  lru.delete('f'.repeat(10))
  lru.set('f'.repeat(10), 2)
  lru.set('f'.repeat(10), 3)
  expect([lru.size(), lru.get('e'.repeat(10)), lru.get('f'.repeat(10))]).toEqual([2, 1, 3])
})
