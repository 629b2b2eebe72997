import fc from 'fast-check'
import { expect, test } from 'vitest'
import { indexedMin, PartitionIndex } from '../src/partition-index.ts'

const empty = { origin: 0, start: 0, next: 0, count: 0 }

test('records before an offset are counted, whatever holes there are', () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.nat(200)), fc.nat(220), (some, asked) => {
      const offsets = some.toSorted((a, b) => a - b)
      const index = new PartitionIndex(empty)
      for (const offset of offsets) index.append(offset, '')
      index.reach(asked)
      expect(index.countBefore(asked)).toBe(offsets.filter((offset) => offset < asked).length)
    }),
  )
})

test('what is not read yet is not known', () => {
  const index = new PartitionIndex(empty)
  index.append(4, '')
  expect(index.countBefore(5)).toBe(1)
  expect(index.countBefore(6)).toBeUndefined()
  index.reach(6)
  expect(index.countBefore(6)).toBe(1)
})

test('it is made from its state again, whatever of its records is still there, and counts none of them as new', () => {
  fc.assert(
    fc.property(fc.nat(40), fc.nat(40), fc.nat(40), (released, taken, added) => {
      const before = new PartitionIndex(empty)
      for (let offset = 0; offset < 80; offset += 2) before.append(offset, 'm')
      before.release(released)
      before.release(released)
      const again = new PartitionIndex(before.state)
      const isNew: boolean[] = []
      // Retention has taken those before `taken`.
      for (let offset = 0; offset < 80 + added; offset += 2) {
        if (offset >= taken && offset >= before.state.start) isNew.push(again.append(offset, 'm'))
      }
      again.reach(80 + added)
      expect(isNew.filter(Boolean)).toHaveLength(Math.ceil(added / 2))
      expect(again.countBefore(80)).toBe(40)
      expect(again.count).toBe(40 + Math.ceil(added / 2))
    }),
  )
})

test('as long as it has not come so far again, it does not know, and tells what it knew', () => {
  const index = new PartitionIndex({ origin: 0, start: 10, next: 20, count: 15 })
  index.append(12, '')
  expect(index.countBefore(12)).toBeUndefined()
  expect(index.state).toEqual({ origin: 0, start: 10, next: 20, count: 15 })
  index.append(25, '')
  expect(index.countBefore(12)).toBe(14)
  expect(index.count).toBe(16)
})

test('minutes are known of what is indexed', () => {
  const index = new PartitionIndex(empty)
  for (const [offset, minute] of ['a', 'a', 'b', 'c'].entries()) index.append(offset, minute)
  expect(index.minutesBetween(1, 3)).toEqual(['a', 'b'])
  expect(index.minutesBetween(0, 9)).toEqual(['a', 'a', 'b', 'c'])
})

test('what is released goes when something is released again', () => {
  const index = new PartitionIndex(empty)
  for (let offset = 0; offset < 10; offset += 1) index.append(offset, '')
  index.release(5)
  expect(index.countBefore(2)).toBe(2)
  expect(index.hasLost(2)).toBe(false)
  index.release(8)
  expect(index.countBefore(2)).toBeUndefined()
  expect(index.hasLost(2)).toBe(true)
  // That there was nothing before it began stays known.
  expect(index.countBefore(0)).toBe(0)
  expect(index.hasLost(0)).toBe(false)
  expect(index.countBefore(5)).toBe(5)
})

test('it holds so many records, and knows how many there were before', () => {
  const index = new PartitionIndex(empty)
  const records = 2 * indexedMin + 10
  for (let offset = 0; offset < records; offset += 1) index.append(offset, '')
  expect(index.countBefore(5)).toBeUndefined()
  expect(index.countBefore(records - indexedMin)).toBe(records - indexedMin)
  expect(index.count).toBe(records)
})
