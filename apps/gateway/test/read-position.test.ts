import { expect, test } from 'vitest'
import { encodeCursor } from '../src/cursor.ts'
import { parseFrom } from '../src/read-position.ts'

test('reading begins at an end, at a time, or where a cursor of the topic says', () => {
  expect(parseFrom('earliest', 't')).toBe('earliest')
  expect(parseFrom('latest', 't')).toBe('latest')
  expect(parseFrom('2030-01-01T01:00:00.5+01:00', 't')).toEqual({ timestampMs: Date.UTC(2030, 0, 1, 0, 0, 0, 500) })
  expect(parseFrom('1900-01-01T00:00:00Z', 't')).toEqual({ timestampMs: 0 })
  const next = new Map([[0, 5n]])
  expect(parseFrom(encodeCursor('t', next), 't')).toEqual({ cursor: next })
})

test.each([
  '',
  'Earliest',
  'yesterday',
  '2030-01-01',
  '2030-13-01T00:00:00Z',
  '2030-01-01T00:00:00',
  '0',
  encodeCursor('other', new Map([[0, 5n]])),
])('and nowhere else: %j', (text) => {
  expect(parseFrom(text, 't')).toBeUndefined()
})
