import type { JsonValue } from '@millrace/core/json'
import { Ajv } from 'ajv'
import { expect, test } from 'vitest'
import type { SchemaSource } from '../src/codec.ts'
import { compileCodec } from '../src/compile-codec.ts'
import { dataShape } from '../src/data-shape.ts'
import { avroCodecOf, avroSource, enumOf, mapOf, recordOf } from './avro-schemas.ts'

const references = [] as const

test('an Avro record keeps what its fields are documented with', () => {
  const fields = [
    { name: 'depth', type: 'double', doc: 'Kilometres.' },
    { name: 'hash', type: { type: 'fixed', name: 'Hash', size: 16 } },
  ]
  const shape = dataShape({ format: 'avro', schema: { type: 'record', name: 'Quake', fields }, references })
  expect(shape).toMatchObject({
    $ref: '#/definitions/Quake',
    definitions: {
      Quake: { required: ['depth', 'hash'], properties: { depth: { description: 'Kilometres.' } } },
      Hash: { type: 'string', minLength: 16, maxLength: 16 },
    },
  })
})

test('an Avro schema may be the name of a type alone', () => {
  expect(dataShape({ format: 'avro', schema: '"string"', references })).toMatchObject({ type: 'string' })
})

test.each<[string, JsonValue, readonly JsonValue[]]>([
  ['a branch that is plain to see', ['null', 'int'], [null, 1]],
  ['two branches of one kind of JSON', ['int', 'double', 'null'], [null, { int: 1 }, { double: 1.5 }]],
  ['a number that is read as a string', ['double', 'string'], ['NaN', 1.5, { double: 'NaN' }]],
  ['digits beyond 2^53', ['long', 'string'], ['1', 1, { long: '9007199254740993' }]],
  ['a map that could be a wrapper', [mapOf('int'), 'string'], [{ a: 1 }, { map: { string: 1 } }]],
  ['a record that looks like a wrapper', [recordOf('R', { int: 'int' }), 'int'], [{ R: { int: 1 } }, 1]],
  ['a named branch', ['string', enumOf('sky.Cover', ['CLEAR'])], [{ 'sky.Cover': 'CLEAR' }, { string: 'x' }]],
])('a union with %s has the shape that readers get', (_what, schema, values) => {
  const fits = new Ajv().compile(dataShape(avroSource(schema)))
  for (const value of values) {
    expect(avroCodecOf(schema).fromJson(value)).toMatchObject({ ok: true, data: value })
    expect(fits(value), JSON.stringify(value)).toBe(true)
  }
})

test('where branches look alike none is bare', () => {
  const { anyOf } = dataShape(avroSource(['int', 'long']))
  expect(anyOf).toMatchObject([{ required: ['int'] }, { required: ['long'] }])
})

test('of a Protobuf file it is the first message, with what it imports', () => {
  const schema = `syntax = "proto3"; package sky; import "place.proto"; import "google/protobuf/timestamp.proto";
    message Observed { earth.Place place = 1; google.protobuf.Timestamp seen_at = 2; oneof kind { int64 rain_mm = 3; bool sun = 4; } }`
  const place = 'syntax = "proto3"; package earth; message Place { string name = 1; }'
  expect(dataShape({ format: 'protobuf', schema, references: [{ name: 'place.proto', schema: place }] })).toMatchObject(
    {
      $ref: '#/definitions/sky.Observed',
      definitions: {
        'earth.Place': { properties: { name: { type: 'string' } } },
        'sky.Observed': {
          properties: { seenAt: { format: 'date-time' }, rainMm: { type: 'string' }, sun: { type: 'boolean' } },
          'x-oneofs': [['rainMm', 'sun']],
        },
      },
    },
  )
})

test('the fields of a Protobuf message have the names that readers get, whatever the file calls them', () => {
  const schema = `syntax = "proto3"; message constructor { int32 a_b = 1 [json_name = "the name"]; int32 c__d = 2; int32 E_F = 3;
    oneof one { bool g_1 = 4; bool h = 5 [json_name = "@h"]; } constructor inner_one = 6; }`
  const source: SchemaSource = { format: 'protobuf', schema, references }
  const data = { 'the name': 1, cD: 2, EF: 3, '@h': true, innerOne: { 'the name': 0, cD: 0, EF: 0, g1: false } }
  expect(compileCodec(source).fromJson(data)).toMatchObject({ ok: true, data })
  expect(dataShape(source)).toMatchObject({ definitions: { constructor: { 'x-oneofs': [['g1', '@h']] } } })
  const validate = new Ajv({ strict: false }).compile(dataShape(source))
  validate(data)
  expect(validate.errors).toBeNull()
})

test.each(['', 'syntax = "proto3"; enum Sky { CLEAR = 0; }', 'message {'])('%j is no Protobuf file', (schema) => {
  expect(() => dataShape({ format: 'protobuf', schema, references })).toThrow('not a Protobuf schema')
})
