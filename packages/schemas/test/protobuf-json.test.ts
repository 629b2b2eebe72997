import { isJsonValue, type JsonValue } from '@millrace/core/json'
import { expect, test } from 'vitest'
import type { Coded } from '../src/codec.ts'
import { compileCodec } from '../src/compile-codec.ts'
import { ExactInteger } from '../src/exact-json.ts'
import { violationsMax } from '../src/json-schema.ts'

const codec = compileCodec({
  format: 'protobuf',
  references: [],
  schema: `syntax = "proto3";
import "google/protobuf/duration.proto";
import "google/protobuf/empty.proto";
import "google/protobuf/field_mask.proto";
import "google/protobuf/struct.proto";
import "google/protobuf/timestamp.proto";
import "google/protobuf/wrappers.proto";
enum Color { option allow_alias = true; NONE = 0; RED = 1; ROUGE = 1; }
message All {
  int32 i32 = 1; uint32 u32 = 2; sint32 s32 = 3; fixed32 f32 = 4; sfixed32 sf32 = 5;
  int64 i64 = 6; uint64 u64 = 7; sint64 s64 = 8; fixed64 f64 = 9; sfixed64 sf64 = 10;
  float single = 11; double twice = 12; bool yes = 13; string text = 14; bytes raw = 15; Color color = 16;
  google.protobuf.Timestamp at = 17; google.protobuf.Duration took = 18; google.protobuf.FieldMask mask = 19;
  google.protobuf.Struct loose = 20; google.protobuf.Value any_value = 21; google.protobuf.ListValue list = 22;
  google.protobuf.Int64Value big = 23; google.protobuf.StringValue words = 24; google.protobuf.BoolValue maybe = 25;
  google.protobuf.Empty nothing = 26; google.protobuf.NullValue nil = 27;
  map<int32, string> by_number = 28; map<bool, string> by_bool = 29; map<uint64, All> by_serial = 30;
  repeated string words_said = 31; repeated google.protobuf.Value values = 32; All inner = 33;
  oneof either { string left = 34; int32 right = 35; }
  string renamed = 36 [json_name = "@other name"];
  repeated google.protobuf.BytesValue blobs = 37; google.protobuf.FloatValue ratio = 38;
}`,
})

function shown(data: JsonValue): JsonValue {
  const coded = codec.fromJson(data)
  if (!coded.ok) throw new Error(JSON.stringify(coded.violations))
  expect(codec.fromJson(coded.data)).toEqual(coded)
  return coded.data
}

function pointers(coded: Coded): string[] {
  return coded.ok ? [] : coded.violations.map(({ pointer }) => pointer)
}

/** What the JSON parser makes of an integer that no number holds: it may stand wherever JSON may. */
function exact(source: string): JsonValue {
  const marked: unknown = new ExactInteger(source)
  if (isJsonValue(marked)) return marked
  throw new TypeError('it cannot stand in JSON')
}

test.each([
  ['i64', '9223372036854775807', '9223372036854775807'],
  ['i64', '-9223372036854775808', '-9223372036854775808'],
  ['i64', 12, '12'],
  ['i64', exact('9007199254740993'), '9007199254740993'],
  ['s64', '-9223372036854775808', '-9223372036854775808'],
  ['s64', '9223372036854775807', '9223372036854775807'],
  ['sf64', '-1', '-1'],
  ['f64', '18446744073709551615', '18446744073709551615'],
  ['u64', '18446744073709551615', '18446744073709551615'],
  ['u64', exact('18446744073709551615'), '18446744073709551615'],
  ['i32', '-2147483648', -2147483648],
  ['i32', '1e3', 1000],
  ['i32', '5.0', 5],
  ['u32', 4294967295, 4294967295],
  ['s32', -2147483648, -2147483648],
  ['f32', 4294967295, 4294967295],
  ['sf32', -1, -1],
  ['i32', -0, 0],
  ['single', 0.1, 0.1],
  ['single', 16777216, 16777216],
  ['single', 3.4028234663852886e38, 3.4028234663852886e38],
  ['single', '-Infinity', '-Infinity'],
  ['twice', 'NaN', 'NaN'],
  ['twice', '1.5e300', 1.5e300],
  ['twice', 0.1, 0.1],
  ['twice', exact('9007199254740994'), 9007199254740994],
  ['text', 'ø\u0000😀\ufffd', 'ø\u0000😀\ufffd'],
  ['raw', '-_8', '+/8='],
  ['raw', '+/8=', '+/8='],
  ['color', 'ROUGE', 'RED'],
  ['color', 1, 'RED'],
  ['color', 77, 77],
  ['at', '2024-02-29T23:59:59.123456789+05:30', '2024-02-29T18:29:59.123456789Z'],
  ['at', '0001-01-01T00:00:00Z', '0001-01-01T00:00:00Z'],
  ['at', '9999-12-31T23:59:59.999999999Z', '9999-12-31T23:59:59.999999999Z'],
  ['at', '1969-12-31T23:59:59.5Z', '1969-12-31T23:59:59.500Z'],
  ['took', '-0.5s', '-0.500s'],
  ['took', '315576000000s', '315576000000s'],
  ['took', '1.000001s', '1.000001s'],
  ['mask', 'user.displayName,photo', 'user.displayName,photo'],
  ['mask', '', ''],
  ['loose', { a: [1, null, { b: 'c' }], d: true }, { a: [1, null, { b: 'c' }], d: true }],
  ['anyValue', null, null],
  ['anyValue', [], []],
  ['anyValue', {}, {}],
  ['list', [[1], 'a'], [[1], 'a']],
  ['big', '0', '0'],
  ['big', 7, '7'],
  ['words', '', ''],
  ['maybe', false, false],
  ['nothing', {}, {}],
  ['byNumber', { '-1': 'a', '0': '' }, { '-1': 'a', '0': '' }],
  ['byBool', { true: 'a', false: 'b' }, { true: 'a', false: 'b' }],
  ['values', [null, 1, 'a'], [null, 1, 'a']],
  ['blobs', ['', 'AA=='], ['', 'AA==']],
  ['left', '', ''],
  ['right', 0, 0],
  ['@other name', 'x', 'x'],
  ['ratio', 0.3, 0.3],
] satisfies [string, JsonValue, JsonValue][])('%s: %j is shown as %j', (name, given, expected) => {
  expect(shown({ [name]: given })).toHaveProperty([name], expected)
})

test.each([
  ['i32', 2147483648],
  ['i32', 1.5],
  ['i32', '1.5'],
  ['i32', ''],
  ['i32', ' 1'],
  ['i32', true],
  ['u32', -1],
  ['u32', 4294967296],
  ['i64', '9223372036854775808'],
  ['i64', 2 ** 60],
  ['i64', '1e30'],
  ['u64', '18446744073709551616'],
  ['u64', exact('-9007199254740993')],
  ['i32', { source: '12' }],
  ['single', 3.5e38],
  ['twice', '1e400'],
  ['twice', 'infinity'],
  ['twice', '0x10'],
  ['yes', 'true'],
  ['yes', 1],
  ['text', 5],
  ['text', '\ud800'],
  ['raw', 'A'],
  ['raw', 'AA='],
  ['raw', 'A A='],
  ['raw', '%%%%'],
  ['color', 'GREEN'],
  ['color', 2147483648],
  ['at', '2023-02-29T00:00:00Z'],
  ['at', '2023-02-28 00:00:00Z'],
  ['at', '2023-02-28T24:00:00Z'],
  ['at', '2023-02-28T00:00:00'],
  ['at', '0001-01-01T00:00:00+01:00'],
  ['at', 1_700_000_000],
  ['took', '1'],
  ['took', '315576000001s'],
  ['mask', 'a_b'],
  ['loose', []],
  ['list', {}],
  ['anyValue', exact('9007199254740993')],
  ['big', 'x'],
  ['maybe', 'false'],
  ['nothing', 1],
  ['nil', 1],
  ['byNumber', []],
  ['wordsSaid', 'a'],
  ['wordsSaid', { '0': 'a' }],
  ['inner', []],
] satisfies [string, JsonValue][])('%s: %j is a violation there', (name, given) => {
  expect(pointers(codec.fromJson({ [name]: given }))).toEqual([`/${name}`])
})

test.each([
  ['a name that is no field', { typo: null, inner: { i_32: 1 } }, ['/typo', '/inner/i_32']],
  ['a field by both its names', { by_number: {}, byNumber: {} }, ['/byNumber']],
  ['two members of a oneof', { left: 'a', right: 1 }, ['/right']],
  ['items', { wordsSaid: ['a', null, 1], blobs: ['AA', 'A'] }, ['/wordsSaid/1', '/wordsSaid/2', '/blobs/1']],
  [
    'keys',
    { byNumber: { a: 'x', '01': 'y', '-0': 'z', '2147483648': '' } },
    ['/byNumber/2147483648', '/byNumber/a', '/byNumber/01', '/byNumber/-0'],
  ],
  [
    'values of maps',
    { byBool: { true: 1, TRUE: '' }, bySerial: { '1': null, '2': { i32: 'x' } } },
    ['/byBool/true', '/byBool/TRUE', '/bySerial/1', '/bySerial/2/i32'],
  ],
  [
    "what is within Google's own messages",
    { loose: { a: ['\ud800'] }, list: [{ 'b/c': '\ud800' }] },
    ['/loose/a/0', '/list/0/b~1c'],
  ],
  ['something else than an object', [1], ['']],
  ['nothing', null, ['']],
] satisfies [string, JsonValue, string[]][])('%s: violations are located', (_what, given, expected) => {
  expect(pointers(codec.fromJson(given))).toEqual(expected)
})

test('a member of a oneof that is null leaves the other alone', () => {
  expect(shown({ left: null, right: 0 })).toMatchObject({ right: 0 })
})

test('all violations are named, up to a bound', () => {
  const many = codec.fromJson({ wordsSaid: Array.from({ length: 1_000 }, () => 1) })
  expect(pointers(many)).toHaveLength(violationsMax)
})

test('nesting is bounded', () => {
  const nested = (depth: number): JsonValue => (depth === 0 ? {} : { inner: nested(depth - 1) })
  expect(codec.fromJson(nested(63))).toMatchObject({ ok: true })
  expect(pointers(codec.fromJson(nested(64)))).toEqual(['/inner'.repeat(64)])
  const arrays = (depth: number): JsonValue => (depth === 0 ? 1 : [arrays(depth - 1)])
  expect(pointers(codec.fromJson({ list: arrays(5_000) }))).toHaveLength(1)
})
