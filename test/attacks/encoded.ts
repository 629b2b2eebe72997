/** Bodies in Avro and Protobuf that promise more than they hold, or hold more than they should: each sent to a type of its own. */
import { gzipSync, zstdCompressSync } from 'node:zlib'
import type { JsonObject, JsonValue } from '@millrace/core/json'
import { type Attack, posted } from './case.ts'

/** The types that must be there, as `PUT /v1/event-types/{type}` takes them. */
export const encodedTypes = {
  'attack.avro': {
    format: 'avro',
    schema: {
      type: 'record',
      name: 'Node',
      fields: [
        { name: 'items', type: { type: 'array', items: 'null' } },
        { name: 'tags', type: { type: 'map', values: 'string' } },
        { name: 'raw', type: 'bytes' },
        { name: 'next', type: ['null', 'Node'] },
      ],
    },
  },
  'attack.protobuf': {
    format: 'protobuf',
    schema: `syntax = "proto3";
import "google/protobuf/field_mask.proto";
import "google/protobuf/struct.proto";
import "google/protobuf/timestamp.proto";
message Node {
  Node next = 1;
  string name = 2;
  repeated int32 numbers = 3;
  map<string, string> tags = 4;
  repeated Empty empties = 5;
  repeated google.protobuf.Timestamp times = 6;
  google.protobuf.FieldMask mask = 7;
  google.protobuf.ListValue list = 8;
  oneof either { Node left = 11; Node right = 12; }
  repeated float floats = 13;
}
message Empty {}`,
  },
  'attack.json': {
    format: 'json',
    schema: {
      properties: {
        unique: { uniqueItems: true },
        names: { propertyNames: { maxLength: 5 } },
        values: { additionalProperties: { type: 'number' } },
        some: { contains: { const: 'none' } },
        texts: { items: { type: 'string', pattern: '^(a|b)+$' } },
      },
    },
  },
} as const

const bytes = (...values: readonly number[]) => Buffer.from(values)
const joined = (...parts: readonly Uint8Array[]) => Buffer.concat(parts)
const times = (count: number, part: Uint8Array) => Buffer.concat(Array<Uint8Array>(count).fill(part))

function varint(value: bigint): Buffer {
  const made: number[] = []
  let rest = BigInt.asUintN(64, value)
  for (; rest > 0x7fn; rest >>= 7n) made.push(Number(rest & 0x7fn) | 0x80)
  return bytes(...made, Number(rest))
}

/** Avro's long. */
const long = (value: bigint) => varint(value < 0n ? -value * 2n - 1n : value * 2n)
const most = 2n ** 63n - 1n
/** A node without anything but what follows in it. */
const afterItems = bytes(0, 0, 0)
const empty = joined(bytes(0), afterItems)

const avro: readonly (readonly [string, Uint8Array])[] = [
  ['nothing', bytes()],
  ['2 000 000 000 items of no bytes', joined(long(2_000_000_000n), bytes(0), afterItems)],
  ['2^63 - 1 items of no bytes', joined(long(most), bytes(0), afterItems)],
  ['a block of -2^63 items', joined(long(-(2n ** 63n)), long(0n), bytes(0), afterItems)],
  ['a negative block with a negative size', joined(long(-5n), long(-5n), bytes(0), afterItems)],
  ['a negative block larger than the body', joined(long(-5n), long(most), bytes(0), afterItems)],
  ['a negative block whose size is another', joined(bytes(0), long(-1n), long(100n), bytes(2, 97, 2, 97, 0, 0, 0))],
  ['2^31 blocks of a billion items', joined(times(50_000, long(1_000_000_000n)), bytes(0), afterItems)],
  ['2 000 000 000 entries of a map', joined(bytes(0), long(2_000_000_000n), bytes(2, 97, 2, 97, 0, 0, 0))],
  ['a map whose key has 2^40 bytes', joined(bytes(0), long(1n), long(2n ** 40n), bytes(97))],
  ['a map whose key has -1 bytes', joined(bytes(0), long(1n), long(-1n), bytes(97))],
  ['a map whose key is no UTF-8', joined(bytes(0, 2, 4, 0xff, 0xfe, 2, 97, 0), bytes(0, 0))],
  ['2^63 - 1 bytes', joined(bytes(0, 0), long(most))],
  ['-2^63 bytes', joined(bytes(0, 0), long(-(2n ** 63n)), bytes(0))],
  ['a varint without end', times(1_000, bytes(0x80))],
  ['a varint of 11 bytes', joined(times(10, bytes(0x80)), bytes(1), afterItems)],
  ['a varint of 10 bytes beyond 64 bits', joined(times(9, bytes(0xff)), bytes(0x7f), afterItems)],
  ['a varint cut off', bytes(0xff, 0xff)],
  ['a branch of a union that there is not', joined(bytes(0, 0, 0), long(7n))],
  ['a branch of a union before the first', joined(bytes(0, 0, 0), long(-1n))],
  ['a union of the branch 2^62', joined(bytes(0, 0, 0), long(2n ** 62n))],
  ['250 000 nested nodes', joined(times(250_000, bytes(0, 0, 0, 2)), empty)],
  ['250 000 nested nodes cut off', times(250_000, bytes(0, 0, 0, 2))],
  ['bytes left over', joined(empty, bytes(1, 2, 3))],
  ['a megabyte left over', joined(empty, Buffer.alloc(1_000_000))],
  ['a frame and nothing in it', bytes(0, 0, 0, 0, 1)],
  ['a frame of a schema that there is not', joined(bytes(0, 0x7f, 0xff, 0xff, 0xff), empty)],
  ['a frame in a frame', joined(bytes(0, 0x7f, 0xff, 0xff, 0xff, 0, 0x7f, 0xff, 0xff, 0xff), empty)],
  ['an object container file', joined(Buffer.from('Obj\u0001'), Buffer.alloc(64))],
]

/** A field of Protobuf by its number and wire type. */
const tag = (field: number, wire: number) => varint(BigInt(field) * 8n + BigInt(wire))
const counted = (field: number, content: Uint8Array) => joined(tag(field, 2), varint(BigInt(content.length)), content)

function nested(levels: number): Buffer {
  // From the inside out, in one buffer: putting each around the last would copy as often as there are levels.
  const heads: Uint8Array[] = []
  let length = 0n
  for (let level = 0; level < levels; level += 1) {
    const head = joined(tag(1, 2), varint(length))
    heads.push(head)
    length += BigInt(head.length)
  }
  return Buffer.concat(heads.reverse())
}

const unknownSchema = bytes(0, 0x7f, 0xff, 0xff, 0xff)
const protobuf: readonly (readonly [string, Uint8Array])[] = [
  ['a text of 2^32 - 1 bytes', joined(tag(2, 2), varint(2n ** 32n - 1n), bytes(97))],
  ['a text of 2^63 bytes', joined(tag(2, 2), varint(2n ** 63n), bytes(97))],
  ['a text of -1 bytes', joined(tag(2, 2), varint(-1n), bytes(97))],
  ['a text that is no UTF-8', counted(2, bytes(0xff, 0xfe))],
  ['a text with an encoded surrogate', counted(2, bytes(0xed, 0xa0, 0x80))],
  ['a varint without end', joined(tag(3, 0), times(1_000, bytes(0x80)))],
  ['a varint of 11 bytes', joined(tag(3, 0), times(10, bytes(0x80)), bytes(1))],
  ['a varint cut off', joined(tag(3, 0), bytes(0xff))],
  ['a tag cut off', bytes(0x80)],
  ['a tag of 11 bytes', joined(times(10, bytes(0x88)), bytes(1))],
  ['the field 0', joined(tag(0, 0), bytes(1))],
  ['the wire type 6', joined(tag(2, 6), bytes(1))],
  ['the wire type 7', joined(tag(9, 7), bytes(1))],
  ['the end of a group that never began', tag(9, 4)],
  ['a group without an end', tag(9, 3)],
  ['a group that another ends', joined(tag(9, 3), tag(10, 4))],
  ['500 000 nested groups', times(500_000, tag(9, 3))],
  ['500 000 nested groups, all ended', joined(times(500_000, tag(9, 3)), times(500_000, tag(9, 4)))],
  ['200 000 nested messages', nested(200_000)],
  ['packed numbers cut off', counted(3, times(1_000, bytes(0x80)))],
  ['a message longer than that around it', counted(1, joined(tag(1, 2), varint(1_000n)))],
  ['an entry of a map that is cut off', counted(4, joined(tag(1, 2), varint(1_000n)))],
  ['a fixed64 cut off', joined(tag(9, 1), bytes(1, 2, 3))],
  ['a fixed32 cut off', joined(tag(9, 5), bytes(1))],
  ['a text where a message belongs', counted(1, Buffer.from('oooooooo'))],
  ['a frame of a schema that there is not', joined(unknownSchema, bytes(0))],
  ['a frame whose message there is not', joined(unknownSchema, bytes(2, 0x7e), bytes(0x12, 0))],
  ['a frame of 2^31 message indexes', joined(unknownSchema, varint(2n ** 32n - 2n))],
  ['a frame of -1 message indexes', joined(unknownSchema, bytes(1))],
  ['a frame whose message indexes are cut off', joined(unknownSchema, bytes(6, 0))],
]

/** What fits its schema, and is heavy: it may be taken, or refused as too much work. */
const heavy: readonly (readonly [type: keyof typeof encodedTypes, name: string, body: Uint8Array])[] = [
  ['attack.avro', '500 000 items in as many blocks', joined(times(500_000, bytes(2)), bytes(0), afterItems)],
  [
    'attack.avro',
    '170 000 entries of one name',
    joined(bytes(0), long(170_000n), times(170_000, bytes(2, 97, 2, 97)), bytes(0, 0, 0)),
  ],
  ['attack.protobuf', '490 000 empty messages', times(490_000, joined(tag(5, 2), bytes(0)))],
  ['attack.protobuf', '990 000 packed numbers', counted(3, Buffer.alloc(990_000))],
  ['attack.protobuf', '490 000 numbers one by one', times(490_000, joined(tag(3, 0), bytes(1)))],
  ['attack.protobuf', '300 000 messages merged into one', times(300_000, joined(tag(1, 2), bytes(0)))],
  ['attack.protobuf', '490 000 unknown fields', times(490_000, joined(tag(9, 0), bytes(1)))],
  ['attack.protobuf', '500 000 times', times(500_000, counted(6, bytes()))],
  [
    'attack.protobuf',
    'a mask of 500 000 letters in capitals',
    counted(7, counted(1, times(500_000, Buffer.from('_a')))),
  ],
  ['attack.protobuf', '260 000 values of a list', counted(8, times(260_000, counted(1, bytes(0x20, 1))))],
  ['attack.protobuf', '340 000 turns of a oneof', times(170_000, joined(counted(11, bytes()), counted(12, bytes())))],
  ['attack.protobuf', '240 000 floats', counted(13, times(240_000, bytes(0x3d, 0x3d, 0x3d, 0x3d)))],
  ['attack.protobuf', '100 000 entries of one name', times(100_000, counted(4, bytes(0x0a, 1, 97, 0x12, 1, 97)))],
]

const members = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, n) => [n.toString(36), 1]))
const list = (count: number, value: JsonValue) => Array<JsonValue>(count).fill(value)
const node = (data: JsonObject) => ({ items: [], tags: {}, raw: '', next: null, ...data })

/** The same as JSON, which becomes the type's format. */
const heavyJson: readonly (readonly [
  type: keyof typeof encodedTypes,
  name: string,
  data: JsonValue,
  answers?: readonly number[],
])[] = [
  ['attack.avro', '90 000 unknown members', node(members(90_000)), [400]],
  ['attack.avro', '16 000 unknown members', node(members(16_000)), [422]],
  ['attack.avro', '80 000 entries of a map', node({ tags: members(80_000) }), [400]],
  ['attack.avro', '16 000 entries of a map', node({ tags: members(16_000) })],
  ['attack.protobuf', '90 000 unknown members', members(90_000), [400]],
  ['attack.protobuf', '16 000 unknown members', members(16_000), [422]],
  ['attack.protobuf', '80 000 entries of a map', { tags: members(80_000) }, [400]],
  ['attack.protobuf', '16 000 entries of a map', { tags: members(16_000) }],
  ['attack.protobuf', '500 000 numbers', { numbers: list(500_000, 0) }],
  ['attack.protobuf', '340 000 messages', { empties: list(340_000, {}) }, [400]],
  ['attack.protobuf', '130 000 messages', { empties: list(130_000, {}) }],
  ['attack.protobuf', '340 000 lists in a list', { list: list(340_000, []) }, [400]],
  ['attack.protobuf', '130 000 lists in a list', { list: list(130_000, []) }],
  ['attack.protobuf', 'a mask of 340 000 paths', { mask: Array<string>(340_000).fill('aB').join() }],
  ['attack.json', '150 000 items that must be unique', { unique: Array.from({ length: 150_000 }, (_, n) => n) }],
  ['attack.json', '90 000 names that must be so', { unique: [members(90_000)] }, [400]],
  ['attack.json', '16 000 names that must be so', { unique: [members(16_000)] }],
  ['attack.json', '90 000 short names', { names: members(90_000) }, [400]],
  ['attack.json', '16 000 short names', { names: members(16_000) }],
  ['attack.json', '90 000 numbers by name', { values: members(90_000) }, [400]],
  ['attack.json', '16 000 numbers by name', { values: members(16_000) }],
  ['attack.json', '100 000 members of small objects', { texts: list(25_000, { a: 1, b: 2, c: 3, d: 4 }) }],
  ['attack.json', '500 000 items of which one must be another', { some: list(500_000, 0) }],
  ['attack.json', '200 000 texts with a pattern', { texts: list(200_000, 'ab') }],
]

export function encodedAttacks(token: string): readonly Attack[] {
  const sent = (
    type: keyof typeof encodedTypes,
    name: string,
    body: Uint8Array,
    answers: readonly number[],
    more = '',
  ) => {
    const { format } = encodedTypes[type]
    const headers = ['ce-specversion: 1.0', 'ce-source: /attack', `ce-type: ${type}`, ...(more ? [more] : [])]
    return { name: `${format}: ${name}`, bytes: posted(token, `application/${format}`, body, headers), answers }
  }
  const sentJson = (
    type: keyof typeof encodedTypes,
    name: string,
    data: JsonValue,
    answers: readonly number[] = [200, 201, 422],
  ) => ({
    name: `${type} as JSON: ${name}`,
    bytes: posted(
      token,
      'application/cloudevents+json',
      JSON.stringify({ specversion: '1.0', source: '/attack', type, data }),
    ),
    answers,
  })
  const zeros = Buffer.alloc(50_000_000)
  const bombs = (['attack.avro', 'attack.protobuf'] as const).flatMap((type) => [
    sent(type, 'a gzip bomb', gzipSync(zeros), [413], 'content-encoding: gzip'),
    sent(type, 'a zstd bomb', zstdCompressSync(zeros), [413], 'content-encoding: zstd'),
    sent(type, 'two megabytes in gzip', gzipSync(zeros.subarray(0, 2_000_000)), [413], 'content-encoding: gzip'),
  ])
  return [
    ...avro.map(([name, body]) => sent('attack.avro', name, body, [422])),
    ...protobuf.map(([name, body]) => sent('attack.protobuf', name, body, [422])),
    ...heavy.map(([type, name, body]) => sent(type, name, body, [200, 201, 422])),
    ...heavyJson.map(([type, name, data, answers]) => sentJson(type, name, data, answers)),
    ...bombs,
  ]
}
