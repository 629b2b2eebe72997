import type { JsonValue } from '@millrace/core/json'
import { Writer } from 'protobufjs'
import { expect, test } from 'vitest'
import type { Coded } from '../src/codec.ts'
import { compileCodec } from '../src/compile-codec.ts'

const file = `syntax = "proto3";
package shop;
import "google/protobuf/timestamp.proto";
import "money.proto";
enum State { STATE_UNKNOWN = 0; PAID = 1; SENT = -2; }
message Order {
  string order_id = 1;
  int32 count = 2;
  uint64 serial = 3;
  State state = 4;
  google.protobuf.Timestamp placed_at = 5;
  repeated Line lines = 6;
  map<string, Money> prices = 7;
  oneof payment { string card = 8; Money cash = 9; }
  optional bool gift = 10;
  bytes signature = 11;
  repeated sint32 offsets = 12;
  message Line { string sku = 1; double weight = 2; Line instead_of = 3; }
}
message Receipt { int64 total = 1; message Copy { string of = 1; } }
`
const money = 'syntax = "proto3"; package shop; message Money { string currency = 1; sfixed64 units = 2; }'
const references = [{ name: 'money.proto', schema: money }]
const codec = compileCodec({ format: 'protobuf', schema: file, references })

const order = {
  orderId: 'a-1',
  count: 3,
  serial: '18446744073709551615',
  state: 'PAID',
  placedAt: '2026-01-31T10:00:00.120Z',
  lines: [{ sku: 'x', weight: 1.5, insteadOf: { sku: 'y', weight: 0 } }],
  prices: { net: { currency: 'EUR', units: '-9007199254740993' } },
  signature: '+/8=',
  offsets: [-1, 0, 300],
  cash: { currency: 'EUR', units: '0' },
  gift: false,
}
const defaults = {
  orderId: '',
  count: 0,
  serial: '0',
  state: 'STATE_UNKNOWN',
  lines: [],
  prices: {},
  signature: '',
  offsets: [],
}

function compile(schema: string) {
  return compileCodec({ format: 'protobuf', schema, references })
}

function dataOf(coded: Coded): JsonValue {
  if (coded.ok) return coded.data
  throw new Error(JSON.stringify(coded.violations))
}

function bytesOf(coded: Coded): Buffer {
  if (coded.ok) return coded.value
  throw new Error(JSON.stringify(coded.violations))
}

test('what is written as JSON is read as the same JSON', () => {
  const coded = codec.fromJson(order)
  expect(coded).toMatchObject({ ok: true, data: order })
  expect(codec.fromBytes(bytesOf(coded))).toEqual(coded)
})

test('absent fields are shown where they cannot be told from their defaults, and only there', () => {
  expect(codec.fromBytes(Buffer.alloc(0))).toEqual({ ok: true, value: Buffer.alloc(0), data: defaults })
  expect(codec.fromJson(defaults)).toEqual({ ok: true, value: Buffer.alloc(0), data: defaults })
})

test("fields have the names of the file too, and JSON's null is absent", () => {
  expect(dataOf(codec.fromJson({ order_id: 'a', placed_at: null, lines: null, gift: null }))).toEqual({
    ...defaults,
    orderId: 'a',
  })
})

test('the order of the JSON does not change the bytes', () => {
  const reversed = Object.fromEntries(Object.entries(order).reverse())
  expect(bytesOf(codec.fromJson(reversed))).toEqual(bytesOf(codec.fromJson(order)))
})

test('indexes name the message, and those that lead nowhere are a violation', () => {
  const bytes = Buffer.from([8, 1])
  expect(dataOf(codec.fromBytes(bytes, [1]))).toEqual({ total: '1' })
  expect(dataOf(codec.fromBytes(Buffer.alloc(0), [1, 0]))).toEqual({ of: '' })
  for (const indexes of [[], [2], [0, 1], [1, 0, 0], [-1]]) {
    expect(codec.fromBytes(bytes, indexes)).toMatchObject({ ok: false, violations: [{ pointer: '' }] })
  }
})

test('fields of a newer schema stay in the bytes and are not shown', () => {
  const bytes = Writer.create().uint32(800).uint32(7).uint32(10).string('a').uint32(810).string('new').finish()
  expect(codec.fromBytes(Buffer.from(bytes))).toEqual({
    ok: true,
    value: Buffer.from(bytes),
    data: { ...defaults, orderId: 'a' },
  })
})

test('parts of one message are one message, and of a oneof the last member counts', () => {
  const [eur, units] = [Buffer.from([0x0a, 3, 0x45, 0x55, 0x52]), Buffer.from([0x11, 5, 0, 0, 0, 0, 0, 0, 0])]
  const parts = Buffer.concat([Buffer.from([0x4a, 5]), eur, Buffer.from([0x4a, 9]), units])
  expect(dataOf(codec.fromBytes(parts))).toMatchObject({ cash: { currency: 'EUR', units: '5' } })
  const card = Buffer.from([0x42, 1, 0x31])
  expect(dataOf(codec.fromBytes(Buffer.concat([parts, card])))).toEqual({ ...defaults, card: '1' })
  const again = dataOf(codec.fromBytes(Buffer.concat([parts, card, Buffer.from([0x4a, 0])])))
  expect(again).toEqual({ ...defaults, cash: { currency: '', units: '0' } })
})

test('another version is read by its field numbers, and the bytes stay as its writer sent them', () => {
  const older = `syntax = "proto3"; package shop; message Before {} message Order { string id = 1; string gone = 99; }`
  const decode = codec.fromVersion({ format: 'protobuf', schema: older, references: [] })
  const bytes = bytesOf(compile(older).fromBytes(Buffer.from([0x0a, 1, 0x61, 0x9a, 6, 1, 0x62]), [1]))
  expect(decode(bytes, [1])).toEqual({ ok: true, value: bytes, data: { ...defaults, orderId: 'a' } })
  expect(decode(bytes)).toMatchObject({ ok: false, violations: [{ pointer: '' }] })
})

test('what its own writer could not have written is not read', () => {
  const older = 'syntax = "proto3"; package shop; message Order { string id = 1; string gone = 99; }'
  const decode = codec.fromVersion({ format: 'protobuf', schema: older, references: [] })
  const bytes = Buffer.from([0x9a, 6, 1, 0xff])
  expect(codec.fromBytes(bytes)).toMatchObject({ ok: true })
  expect(decode(bytes)).toMatchObject({ ok: false, violations: [{ pointer: '/gone' }] })
})

test('a version that has no message in common is refused', () => {
  const other = 'syntax = "proto3"; package shop; message Parcel { string id = 1; }'
  expect(() => codec.fromVersion({ format: 'protobuf', schema: other, references: [] })).toThrow(
    expect.objectContaining({ code: 'registry.refused' }),
  )
})

test('names of JavaScript are names like others, and no prototype changes', () => {
  const hostile = compile(`syntax = "proto3"; message M {
    string constructor = 1; int32 toString = 2; string hasOwnProperty = 3; string prototype = 4;
    map<string, int32> keys = 5; message valueOf { string then = 1; } valueOf isPrototypeOf = 6; }`)
  const keys = Object.defineProperty({ constructor: 2 }, '__proto__', { value: 1, enumerable: true })
  const named = { constructor: 'a', toString: 1, hasOwnProperty: 'b', prototype: 'c', keys }
  const coded = hostile.fromJson({ ...named, isPrototypeOf: { then: 'd' } })
  expect(JSON.stringify(dataOf(coded))).toBe(
    '{"constructor":"a","toString":1,"hasOwnProperty":"b","prototype":"c","keys":{"constructor":2,"__proto__":1},"isPrototypeOf":{"then":"d"}}',
  )
  const shown = dataOf(hostile.fromBytes(bytesOf(coded)))
  expect(Object.getPrototypeOf(Object(shown))).toBe(Object.prototype)
  expect(Object.keys(Object.prototype)).toEqual([])
})

test('a name that only an object inherits is no field', () => {
  const coded = codec.fromJson({ constructor: 'x', toString: 1 })
  expect(coded).toMatchObject({ ok: false, violations: [{ pointer: '/constructor' }, { pointer: '/toString' }] })
})
