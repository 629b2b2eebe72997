import type { JsonValue } from '@millrace/core/json'
import { Writer } from 'protobufjs'
import { expect, test } from 'vitest'
import { compileCodec } from '../src/compile-codec.ts'

const codec = compileCodec({
  format: 'protobuf',
  references: [],
  schema: `syntax = "proto3";
import "google/protobuf/struct.proto";
import "google/protobuf/timestamp.proto";
message M {
  int32 number = 1; string text = 2; repeated int32 numbers = 3; repeated string texts = 4; M inner = 5; repeated M list = 6;
  map<string, M> by_name = 7; fixed64 wide = 8; bool yes = 9; repeated fixed32 fixed = 10; google.protobuf.Timestamp at = 11;
  google.protobuf.Value loose = 12; map<string, google.protobuf.Timestamp> times = 13; double twice = 14; uint64 serial = 15;
}
message Wide { ${Array.from({ length: 200 }, (_, index) => `int32 f${index} = ${index + 1};`).join(' ')} }
message Many { repeated Wide wide = 1; }`,
})

function violationsOf(bytes: readonly number[] | Buffer) {
  const coded = codec.fromBytes(Buffer.from(bytes))
  return coded.ok ? [] : coded.violations
}

const tag = (number: number, wireType: number) => (number << 3) | wireType

test.each([
  ['a value that is cut off', [tag(1, 0)], '/number', 1],
  ['a varint that is cut off', [tag(1, 0), 0x80], '/number', 2],
  ['a varint of eleven bytes', [tag(1, 0), ...Array<number>(10).fill(0x80), 0], '/number', 1],
  ['a varint of more than 64 bits', [tag(15, 0), ...Array<number>(9).fill(0xff), 2], '/serial', 1],
  ['fixed bytes that are cut off', [tag(8, 1), 1, 2, 3], '/wide', 1],
  ['a string longer than the rest', [tag(2, 2), 2, 0x61], '/text', 1],
  ['a length of 2^32 and more', [tag(2, 2), 0x80, 0x80, 0x80, 0x80, 0x10], '/text', 1],
  ['a length within a message beyond its end', [tag(6, 2), 2, tag(2, 2), 1, 0x61], '/list/0/text', 3],
  ['a string that is not UTF-8', [tag(2, 2), 1, 0xff], '/text', 2],
  ['half a surrogate pair', [tag(2, 2), 3, 0xed, 0xa0, 0x80], '/text', 2],
  ['an overlong letter', [tag(2, 2), 2, 0xc1, 0xa1], '/text', 2],
  ['a list item that is not UTF-8', [tag(4, 2), 1, 0x61, tag(4, 2), 1, 0xff], '/texts/1', 5],
  ['a wrong wire type', [tag(1, 5), 0, 0, 0, 0], '/number', 1],
  ['a message as a number', [tag(5, 0), 1], '/inner', 1],
  ['a list of messages as numbers', [tag(6, 0), 1], '/list/0', 1],
  ['a map as a number', [tag(7, 0), 1], '/byName', 1],
  ['a key of a wrong wire type', [tag(7, 2), 2, tag(1, 0), 1], '/byName', 3],
  ['a value of a wrong wire type', [tag(7, 2), 2, tag(2, 0), 1], '/byName', 3],
  ['what is within an item', [tag(6, 2), 0, tag(6, 2), 2, tag(1, 0), 0x80], '/list/1/number', 6],
  ['what is within a value', [tag(7, 2), 7, tag(1, 2), 1, 0x61, tag(2, 2), 2, tag(1, 0), 0x80], '/byName/a/number', 9],
  ['packed numbers that end in the middle of one', [tag(3, 2), 2, 1, 0x80], '/numbers/1', 4],
  ['packed numbers of a broken length', [tag(10, 2), 3, 1, 2, 3], '/fixed/0', 2],
  ['the field number 0', [0, 1], '', 0],
  ['a field number of more than 29 bits', [0xf8, 0xff, 0xff, 0xff, 0x10, 0], '', 0],
  ['a group', [tag(1, 3), tag(1, 4)], '/number', 1],
  ['an unknown group', [0x9b, 6, 0x9c, 6], '', 2],
  ['the end of a group', [0x9c, 6], '', 2],
  ['a wire type that does not exist', [0x9e, 6], '', 2],
  ['an unknown field that is cut off', [0x9a, 6, 4, 1], '', 2],
  ['garbage after the message', [tag(1, 0), 1, 0xff], '', 3],
] satisfies [string, number[], string, number][])('%s is located', (_what, bytes, pointer, position) => {
  const violations = violationsOf(bytes)
  expect(violations).toMatchObject([{ pointer }])
  expect(violations[0]?.detail).toMatch(new RegExp(` at byte ${position}$`))
})

const year10000 = Writer.create().uint32(8).int64(253_402_300_800).finish()
const nan = Writer.create().uint32(tag(2, 1)).double(NaN).finish()
const negativeNanos = Writer.create().uint32(tag(2, 0)).int32(-1).finish()

test.each([
  ['a time after the year 9999', Writer.create().uint32(tag(11, 2)).bytes(year10000), '/at'],
  ['negative nanoseconds', Writer.create().uint32(tag(11, 2)).bytes(negativeNanos), '/at'],
  ['NaN where JSON is meant', Writer.create().uint32(tag(12, 2)).bytes(nan), '/loose'],
  [
    'a time in a map',
    Writer.create().uint32(tag(13, 2)).fork().uint32(10).string('a').uint32(18).bytes(year10000).ldelim(),
    '/times/a',
  ],
])('%s has no JSON, and is a violation', (_what, writer, pointer) => {
  expect(violationsOf(Buffer.from(writer.finish()))).toMatchObject([{ pointer }])
})

test('numbers are read packed and one by one, whole and in pieces', () => {
  const coded = codec.fromBytes(Buffer.from([tag(3, 0), 1, tag(3, 2), 2, 2, 3, tag(3, 2), 0, tag(3, 0), 4]))
  expect(coded).toMatchObject({ ok: true, data: { numbers: [1, 2, 3, 4] } })
})

test('the last of several values counts, as in a map', () => {
  const entry = (value: number) => [tag(7, 2), 7, tag(1, 2), 1, 0x61, tag(2, 2), 2, tag(1, 0), value]
  const coded = codec.fromBytes(Buffer.from([tag(1, 0), 1, tag(1, 0), 2, ...entry(3), ...entry(4), tag(7, 2), 0]))
  expect(coded).toMatchObject({ ok: true, data: { number: 2, byName: { a: { number: 4 }, '': { number: 0 } } } })
})

test('U+FFFD is a character like others', () => {
  expect(codec.fromBytes(Buffer.from([tag(2, 2), 3, 0xef, 0xbf, 0xbd]))).toMatchObject({ data: { text: '\ufffd' } })
})

function nested(depth: number): Buffer {
  let bytes = Buffer.alloc(0)
  for (let level = 1; level < depth; level++) {
    const outer = Writer.create().uint32(tag(5, 2)).bytes(bytes)
    bytes = Buffer.from(outer.finish())
  }
  return bytes
}

test('nesting is bounded', () => {
  expect(violationsOf(nested(64))).toEqual([])
  expect(violationsOf(nested(65))).toMatchObject([{ pointer: '/inner'.repeat(64) }])
  expect(violationsOf(nested(2_000))).toHaveLength(1)
})

test('a message that comes in very many parts is read once', () => {
  const parts = Buffer.alloc(200_000)
  for (let index = 0; index < parts.length; index += 2) parts[index] = tag(5, 2)
  expect(codec.fromBytes(parts)).toMatchObject({ ok: true, data: { inner: { number: 0 } } })
})

test('what absent fields grow to is bounded', () => {
  const items = (count: number) => Buffer.alloc(2 * count, Buffer.from([tag(1, 2), 0]))
  expect(codec.fromBytes(items(400), [2])).toMatchObject({ ok: true })
  const coded = codec.fromBytes(items(10_000), [2])
  expect(coded.ok ? '' : coded.violations[0]?.pointer).toMatch(/^\/wide\/\d+$/)
})

const times = (count: number, bytes: readonly number[]) => Buffer.alloc(count * bytes.length, Buffer.from(bytes))
const longField = (number: number, content: Buffer) =>
  Buffer.concat([Buffer.from(Writer.create().uint32(tag(number, 2)).uint32(content.length).finish()), content])
const entries = (count: number) =>
  Buffer.concat(
    Array.from({ length: count }, (_, n) =>
      Writer.create().uint32(tag(7, 2)).fork().uint32(10).string(`key${n}`).ldelim().finish(),
    ),
  )

test.each<[string, Buffer, Buffer]>([
  ['packed numbers', longField(3, times(1_040_000, [1])), longField(3, times(1_200_001, [1]))],
  ['numbers one by one', times(500_000, [tag(3, 0), 1]), times(1_200_001, [tag(3, 0), 1])],
  ['texts', times(299_000, [tag(4, 2), 1, 0x61]), times(301_000, [tag(4, 2), 1, 0x61])],
  ['times in a map', times(16_000, [tag(13, 2), 2, tag(2, 2), 0]), times(17_000, [tag(13, 2), 2, tag(2, 2), 0])],
  ['messages in parts', times(524_288, [tag(5, 2), 0]), times(600_000, [tag(6, 2), 0])],
  ['entries of a map', entries(28_000), entries(60_000)],
])('a payload may have many %s, but not any number', (_what, many, tooMany) => {
  expect(violationsOf(many)).toEqual([])
  expect(violationsOf(tooMany)[0]?.detail).toMatch(/more values/)
})

test('JSON may become many values, but not any number', () => {
  const list = <T>(count: number, value: T) => Array<T>(count).fill(value)
  const violations = (data: JsonValue) => {
    const coded = codec.fromJson(data)
    return coded.ok ? [] : coded.violations.map(({ detail }) => detail)
  }
  const tooMuch = [expect.stringMatching(/too much work/)]
  expect(violations({ numbers: list(399_000, 1) })).toEqual([])
  expect(violations({ numbers: list(401_000, 1) })).toEqual(tooMuch)
  expect(violations({ texts: list(280_000, '') })).toEqual([])
  expect(violations({ list: list(10_000, {}) })).toEqual([])
  expect(violations({ list: list(90_000, {}) })).toEqual(tooMuch)
  expect(violations({ byName: Object.fromEntries(list(40_000, 0).map((_, n) => [n, {}])) })).toEqual(tooMuch)
})
