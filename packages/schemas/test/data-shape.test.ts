import { expect, test } from 'vitest'
import { dataShape } from '../src/data-shape.ts'

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
  expect(dataShape({ format: 'avro', schema: 'string', references })).toMatchObject({ type: 'string' })
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

test.each(['', 'syntax = "proto3"; enum Sky { CLEAR = 0; }', 'message {'])('%j is no Protobuf file', (schema) => {
  expect(() => dataShape({ format: 'protobuf', schema, references })).toThrow('not a Protobuf schema')
})
