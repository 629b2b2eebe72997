import type { JsonObject } from '@millrace/core/json'
import { expect, test } from 'vitest'
import { differencesOf } from '../src/schema-difference.ts'

const json = (schema: JsonObject) => ({ format: 'json' as const, schema, references: [] })
const proto = (body: string) => ({
  format: 'protobuf' as const,
  schema: `syntax = "proto3"; package shop; ${body}`,
  references: [],
})
const order: JsonObject = {
  type: 'object',
  additionalProperties: false,
  properties: { id: { type: 'string' }, lines: { type: 'object', properties: { count: { type: 'integer' } } } },
  required: ['id'],
}

test('a JSON Schema that asks for more than before is told where', () => {
  const properties = { lines: { type: 'object', required: ['sum'], properties: { count: { type: 'string' } } } }
  const paths = differencesOf(json(order), json({ ...order, properties, required: ['id', 'lines'] }), 'BACKWARD').map(
    ({ path }) => path,
  )
  expect(paths.sort()).toEqual([
    '/properties/id',
    '/properties/lines',
    '/properties/lines/properties/count/type',
    '/properties/lines/properties/sum',
  ])
})

test('an integer may become a number; under FORWARD it is the other way round', () => {
  const wider = {
    ...order,
    properties: {
      ...order,
      id: { type: 'string' },
      lines: { type: 'object', properties: { count: { type: 'number' } } },
    },
  }
  expect(differencesOf(json(order), json(wider), 'BACKWARD')).toEqual([])
  expect(differencesOf(json(order), json(wider), 'FORWARD').map(({ path }) => path)).toContain(
    '/properties/lines/properties/count/type',
  )
})

test('a Protobuf file that changes fields is told which', () => {
  const before = proto(
    'message Order { string id = 1; Line line = 2; int32 gone = 3; int32 kept = 4; message Line { int32 n = 1; } }',
  )
  const after = proto('message Order { string name = 1; Line line = 2; reserved 4; message Line { string n = 1; } }')
  expect(differencesOf(before, after, 'BACKWARD')).toEqual([
    { path: 'shop.Order.id', detail: 'the field 1 is now called name' },
    { path: 'shop.Order.gone', detail: 'the field 3 is gone and not reserved' },
    { path: 'shop.Order.Line.n', detail: 'the field 1 was int32 and is string' },
  ])
  expect(differencesOf(before, proto('message Other { string id = 1; }'), 'BACKWARD').map(({ path }) => path)).toEqual([
    'shop.Order',
    'shop.Order.Line',
  ])
})
