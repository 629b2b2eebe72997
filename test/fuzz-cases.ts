import type { JsonValue } from '@millrace/core/json'
import type { SchemaSource } from '@millrace/schemas/codec'

export type FuzzCase = {
  readonly name: string
  readonly source: SchemaSource
  /** Valid data, from which everything else is made. */
  readonly samples: readonly JsonValue[]
  /** Payloads, in hexadecimal, on which decoders once differed. */
  readonly found: readonly string[]
}

const avro = (name: string, schema: SchemaSource['schema'], samples: JsonValue[], found: string[] = []): FuzzCase => {
  return { name: `Avro: ${name}`, source: { format: 'avro', schema, references: [] }, samples, found }
}

const protobuf = (name: string, body: string, samples: JsonValue[], found: string[] = []): FuzzCase => {
  const schema = `syntax = "proto3";\n${body}`
  return { name: `Protobuf: ${name}`, source: { format: 'protobuf', schema, references: [] }, samples, found }
}

const record = (...fields: JsonValue[]): SchemaSource['schema'] => ({ type: 'record', name: 'Sample', fields })

export const fuzzCases: readonly FuzzCase[] = [
  avro(
    'scalars',
    record(
      { name: 'flag', type: 'boolean' },
      { name: 'small', type: 'int' },
      { name: 'large', type: 'long' },
      { name: 'single', type: 'float' },
      { name: 'real', type: 'double' },
      { name: 'text', type: 'string' },
      { name: 'raw', type: 'bytes' },
    ),
    [
      {
        flag: true,
        small: -1,
        large: 9_007_199_254_740_991,
        single: 0.5,
        real: 1e300,
        text: 'grün €',
        raw: '\u0000\u00ff',
      },
      { flag: false, small: 2_147_483_647, large: -64, single: 0, real: 0, text: '', raw: '' },
    ],
  ),
  avro(
    'unions, enums and fixed',
    record(
      { name: 'maybe', type: ['null', 'string'] },
      { name: 'either', type: ['null', 'int', { type: 'array', items: 'string' }] },
      { name: 'suit', type: { type: 'enum', name: 'Suit', symbols: ['SPADES', 'HEARTS'] } },
      { name: 'hash', type: { type: 'fixed', name: 'Hash', size: 4 } },
    ),
    [
      { maybe: null, either: { int: 7 }, suit: 'HEARTS', hash: 'abcd' },
      { maybe: { string: 'x' }, either: { array: ['a', 'b'] }, suit: 'SPADES', hash: '\u0000\u0001\u0002\u00ff' },
    ],
  ),
  avro(
    'arrays, maps and records in records',
    record(
      { name: 'numbers', type: { type: 'array', items: 'long' } },
      { name: 'names', type: { type: 'map', values: ['null', 'double'] } },
      {
        name: 'inner',
        type: { type: 'record', name: 'Inner', fields: [{ name: 'items', type: { type: 'array', items: 'boolean' } }] },
      },
    ),
    [
      { numbers: [], names: {}, inner: { items: [] } },
      { numbers: [1, 2, 300], names: { a: null, b: { double: 1.5 } }, inner: { items: [true, false, true] } },
    ],
  ),
  avro('a list that holds itself', record({ name: 'value', type: 'int' }, { name: 'next', type: ['null', 'Sample'] }), [
    { value: 1, next: null },
    { value: 1, next: { Sample: { value: 2, next: { Sample: { value: 3, next: null } } } } },
  ]),
  protobuf(
    'scalars',
    `message Sample {
      bool flag = 1; int32 small = 2; int64 large = 3; uint32 unsigned = 4; uint64 huge = 5; sint32 zig = 6; sint64 zag = 7;
      fixed32 f32 = 8; fixed64 f64 = 9; sfixed32 s32 = 10; sfixed64 s64 = 11; float single = 12; double real = 13;
      string text = 14; bytes raw = 15; optional int32 maybe = 16;
    }`,
    [
      {},
      {
        flag: true,
        small: -1,
        large: '-9223372036854775808',
        unsigned: 4_294_967_295,
        huge: '18446744073709551615',
        zig: -5,
        zag: '-6',
        f32: 7,
        f64: '8',
        s32: -9,
        s64: '-10',
        single: 0.5,
        real: 1e300,
        text: 'grün €',
        raw: 'AP8=',
        maybe: 0,
      },
    ],
  ),
  protobuf(
    'messages, repeated fields, maps and oneofs',
    `message Sample {
      Inner inner = 1; repeated Inner inners = 2; repeated int32 packed = 3; repeated string texts = 4;
      map<string, int64> counts = 5; map<int32, Inner> byNumber = 6; Suit suit = 7; repeated Suit suits = 8;
      oneof choice { string name = 9; int32 number = 10; Inner message = 11; }
      message Inner { string a = 1; Sample back = 2; }
      enum Suit { NONE = 0; SPADES = 1; HEARTS = 2; }
    }`,
    [
      { inner: { a: 'x', back: { packed: [1, 2] } }, inners: [{ a: 'y' }, {}], packed: [1, 200, -3], texts: ['', 'b'] },
      {
        counts: { a: '1', '': '-2' },
        byNumber: { '-1': { a: 'z' } },
        suit: 'HEARTS',
        suits: ['SPADES', 'NONE'],
        name: '',
      },
      { number: 5 },
      { message: { a: 'm' } },
    ],
    // A message of a oneof that is not one, before another member of it.
    ['5a03ffff0112030a017a3802420201004a00'],
  ),
  protobuf(
    'well-known types',
    `import "google/protobuf/timestamp.proto"; import "google/protobuf/duration.proto";
    import "google/protobuf/wrappers.proto"; import "google/protobuf/struct.proto";
    message Sample {
      google.protobuf.Timestamp at = 1; google.protobuf.Duration took = 2; google.protobuf.StringValue text = 3;
      google.protobuf.Int64Value number = 4; google.protobuf.Struct free = 5;
    }`,
    [
      {
        at: '2001-02-03T04:05:06.789Z',
        took: '1.5s',
        text: 'x',
        number: '9007199254740993',
        free: { a: [1, 'b', null] },
      },
      { at: '1970-01-01T00:00:00Z', took: '-0.000000001s' },
    ],
  ),
]
