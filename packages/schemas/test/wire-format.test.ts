import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { frame, unframe } from '../src/wire-format.ts'

const payload = fc.uint8Array().map((bytes) => Buffer.from(bytes))
const schemaId = fc.integer({ min: 0, max: 2 ** 31 - 1 })

test('what is framed is unframed, in every format', () => {
  const messageIndexes = fc.array(fc.integer({ min: 0, max: 100_000 }), { minLength: 1, maxLength: 8 })
  fc.assert(
    fc.property(schemaId, messageIndexes, payload, (id, indexes, bytes) => {
      const framed = { schemaId: id, messageIndexes: indexes, payload: bytes }
      expect(unframe('protobuf', frame('protobuf', framed))).toEqual(framed)
      expect(unframe('avro', frame('avro', framed))).toEqual({ ...framed, messageIndexes: [0] })
    }),
  )
})

test("frames are Confluent's to the byte", () => {
  const payload = Buffer.from([0xaa])
  expect([...frame('avro', { schemaId: 258, messageIndexes: [0], payload })]).toEqual([0, 0, 0, 1, 2, 0xaa])
  expect([...frame('protobuf', { schemaId: 1, messageIndexes: [0], payload })]).toEqual([0, 0, 0, 0, 1, 0, 0xaa])
  expect([...frame('protobuf', { schemaId: 1, messageIndexes: [1, 0], payload })]).toEqual([
    0, 0, 0, 0, 1, 4, 2, 0, 0xaa,
  ])
})

test.each([
  ['nothing', []],
  ['another first byte', [1, 0, 0, 0, 1, 0]],
  ['a frame that ends in its id', [0, 0, 0, 1]],
  ['indexes without an end', [0, 0, 0, 0, 1, 0x80]],
  ['fewer indexes than announced', [0, 0, 0, 0, 1, 4, 2]],
  ['more indexes than messages nest', [0, 0, 0, 0, 1, 0x80, 0x08]],
  ['a negative count of indexes', [0, 0, 0, 0, 1, 1]],
])('%s is not a frame', (_what, bytes) => {
  expect(unframe('protobuf', Buffer.from(bytes))).toBeUndefined()
})
