/** What the documents show of an event type's data is what its codec takes, and what it gives back. */
import type { JsonObject } from '@millrace/core/json'
import type { SchemaSource } from '@millrace/schemas/codec'
import { compileCodec } from '@millrace/schemas/compile-codec'
import { dataShape } from '@millrace/schemas/data-shape'
import { compileJsonSchema } from '@millrace/schemas/json-schema'
import { expect, test } from 'vitest'
import { sampleOf } from '../src/documents/sample.ts'

const protobuf = `syntax = "proto3"; package sky;
import "place.proto";
import "google/protobuf/timestamp.proto"; import "google/protobuf/duration.proto"; import "google/protobuf/struct.proto";
import "google/protobuf/wrappers.proto"; import "google/protobuf/field_mask.proto"; import "google/protobuf/empty.proto";
message Observed {
  int32 small_count = 1; sint64 big_count = 2; fixed64 bigger = 3; uint32 unsigned = 4; float share = 5; double total = 6;
  bool sun = 7; string station_name = 8 [json_name = "station"]; bytes raw_data = 9; Sky sky = 10; earth.Place place = 11;
  repeated int64 readings = 12; repeated Sky skies = 13; repeated bytes parts = 14;
  map<string, int64> by_name = 15; map<int32, Sky> by_number = 16; map<bool, double> by_flag = 17; map<uint64, Observed> inner = 18;
  oneof kind { int64 rain_mm = 19; string snow = 20; Observed nested = 21; google.protobuf.Timestamp at_time = 22; }
  optional uint64 maybe = 23; Observed before = 24; repeated Observed others = 25;
  google.protobuf.Timestamp seen_at = 30; google.protobuf.Duration lasted = 31; google.protobuf.Struct extra = 32;
  google.protobuf.Value any_value = 33; google.protobuf.ListValue list = 34; google.protobuf.NullValue nothing = 35;
  google.protobuf.FieldMask mask = 36; google.protobuf.Empty empty = 37; google.protobuf.Int64Value wide = 38;
  google.protobuf.BytesValue blob = 39; google.protobuf.DoubleValue real = 40; google.protobuf.BoolValue flag = 41;
  google.protobuf.UInt32Value word = 42; google.protobuf.StringValue text = 43;
}
enum Sky { UNKNOWN = 0; CLEAR = 1; BELOW = -1; }`

const avro = {
  type: 'record',
  name: 'Quake',
  namespace: 'seismic',
  fields: [
    { name: 'hash', type: { type: 'fixed', name: 'Hash', size: 4 } },
    { name: 'raw', type: 'bytes' },
    { name: 'kind', type: { type: 'enum', name: 'Kind', symbols: ['QUAKE', 'BLAST'] } },
    { name: 'network', type: 'Network' },
    { name: 'count', type: { type: 'long', logicalType: 'timestamp-millis' } },
    { name: 'number', type: ['int', 'double'] },
    { name: 'label', type: ['null', 'bytes', 'string', 'Hash'] },
    { name: 'exact', type: ['null', 'long', 'string'] },
    { name: 'before', type: ['null', 'Quake'] },
    { name: 'after', type: ['Quake', 'string'] },
    { name: 'swarm', type: { type: 'array', items: 'Quake' } },
    { name: 'by', type: { type: 'map', values: ['Quake', { type: 'map', values: 'int' }] } },
    { name: 'depth', type: ['float', 'string'], doc: 'Kilometres.' },
  ],
} as const satisfies JsonObject

const json = {
  $id: 'https://example.com/schemas/order.json',
  type: 'object',
  required: ['customer', 'lines'],
  properties: {
    customer: { $ref: 'customer.json' },
    lines: { type: 'array', minItems: 2, items: { $ref: 'line.json#/definitions/line' } },
    previous: { $ref: '#' },
  },
  additionalProperties: false,
} as const satisfies JsonObject

const sources = {
  protobuf: {
    format: 'protobuf',
    schema: protobuf,
    references: [
      { name: 'place.proto', schema: 'syntax = "proto3"; package earth; message Place { string full_name = 1; }' },
    ],
  },
  avro: {
    format: 'avro',
    schema: avro,
    references: [{ name: 'Network', schema: '{"type":"enum","name":"seismic.Network","symbols":["CI"]}' }],
  },
  json: {
    format: 'json',
    schema: json,
    references: [
      {
        name: 'customer.json',
        schema: '{"properties":{"name":{"type":"string"},"referrer":{"$ref":"#"}},"required":["name"]}',
      },
      {
        name: 'line.json',
        schema: '{"definitions":{"line":{"required":["price"],"properties":{"price":{"$ref":"price.json"}}}}}',
      },
      { name: 'price.json', schema: '{"type":"number","minimum":2}' },
    ],
  },
} as const satisfies Record<string, SchemaSource>

test.each(Object.entries<SchemaSource>(sources))(
  'a sample of data in %s is taken, and what is read has the shape',
  (_format, source) => {
    const violations = compileJsonSchema(dataShape(source))
    const sample = sampleOf(dataShape(source))
    expect(violations(sample)).toEqual([])
    const coded = compileCodec(source).fromJson(sample)
    if (!coded.ok) throw new Error(JSON.stringify(coded.violations))
    expect(violations(coded.data)).toEqual([])
  },
)
