import type { JsonObject, JsonPointer } from '@millrace/core/json'
import { expect, test } from 'vitest'
import { placeOf } from '../src/schema-place.ts'

const json = (schema: JsonObject) => ({ format: 'json' as const, schema, references: [] })
const order: JsonObject = {
  type: 'object',
  properties: {
    id: { type: ['string', 'null'] },
    home: { type: 'object', properties: { street: { type: 'string' } } },
    any: {},
  },
}

test.each<[JsonPointer, string]>([
  ['/id', 'scalar'],
  ['/home', 'compound'],
  ['/home/street', 'scalar'],
  ['/home/town', 'absent'],
  ['/id/more', 'absent'],
  ['/nothing', 'absent'],
  ['/any', 'unknown'],
  ['', 'compound'],
])('in a JSON Schema, %s is %s', (pointer, place) => {
  const source = json(pointer === '/id/more' ? { ...order, properties: { id: { type: 'string' } } } : order)
  expect(placeOf(source, pointer)).toBe(place)
})

test('a JSON Schema that leaves it open does not tell', () => {
  for (const schema of [{}, { ...order, additionalProperties: true }, { ...order, allOf: [{}] }, { $ref: '#/x' }]) {
    expect(placeOf(json(schema), '/nothing')).toBe('unknown')
  }
})

test.each<[JsonPointer, string]>([
  ['/id', 'scalar'],
  ['/home/street', 'scalar'],
  ['/home', 'compound'],
  ['/nothing', 'absent'],
  ['/maybe', 'unknown'],
])('in an Avro schema, %s is %s', (pointer, place) => {
  const home = { type: 'record', name: 'Home', fields: [{ name: 'street', type: 'string' }] }
  const schema: JsonObject = {
    type: 'record',
    name: 'Order',
    fields: [
      { name: 'id', type: 'string' },
      { name: 'home', type: home },
      { name: 'maybe', type: ['null', 'string'] },
    ],
  }
  expect(placeOf({ format: 'avro', schema, references: [] }, pointer)).toBe(place)
})

test.each<[JsonPointer, string]>([
  ['/orderId', 'scalar'],
  ['/order_id', 'absent'],
  ['/home/street', 'scalar'],
  ['/home', 'compound'],
  ['/tags', 'compound'],
  ['/at', 'unknown'],
])('in a Protobuf file, %s is %s', (pointer, place) => {
  const schema = `syntax = "proto3"; import "google/protobuf/timestamp.proto";
    message Order { string order_id = 1; Home home = 2; repeated string tags = 3; google.protobuf.Timestamp at = 4; }
    message Home { string street = 1; }`
  expect(placeOf({ format: 'protobuf', schema, references: [] }, pointer)).toBe(place)
})
