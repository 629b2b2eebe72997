import { isJsonObject, type JsonObject } from '@millrace/core/json'
import { avroCodec } from '@millrace/schemas/avro-codec'
import { protobufCodec } from '@millrace/schemas/protobuf-codec'
import { Ajv } from 'ajv'
import { expect, test } from 'vitest'
import { eventData } from '../src/documents/event-data.ts'
import { sampleOf } from '../src/documents/sample.ts'
import { catalog } from './documents-catalog.ts'

test.each([
  { type: 'object', properties: { a: { type: 'integer', minimum: 5 }, b: { enum: ['x', 'y'] } }, required: ['a'] },
  { type: 'array', minItems: 3, items: { type: 'number', exclusiveMinimum: 0, maximum: 1 } },
  { type: 'integer', multipleOf: 7, minimum: 20 },
  { type: 'number', exclusiveMaximum: -4 },
  { type: 'string', minLength: 12 },
  { type: 'string', maxLength: 2 },
  { type: ['null', 'string'], format: 'date-time' },
  { anyOf: [{ type: 'null' }, { $ref: '#/definitions/size' }], definitions: { size: { const: 'XL' } } },
  {
    allOf: [
      { type: 'object', properties: { a: { const: 1 } } },
      { required: ['b'], properties: { b: { type: 'null' } } },
    ],
  },
  { type: 'object', additionalProperties: { type: 'boolean' }, minProperties: 1 },
  { type: 'object', additionalProperties: { type: 'boolean' }, propertyNames: { enum: ['a', 'b'] }, minProperties: 1 },
  { required: ['next'], properties: { next: { anyOf: [{ $ref: '#' }, { type: 'null' }] } } },
  { required: ['next'], properties: { next: { anyOf: [{ $ref: '#' }, { type: 'string' }] } } },
  { required: ['next'], properties: { next: { type: 'array', items: { $ref: '#' } } } },
  { required: ['next'], properties: { next: { type: 'object', additionalProperties: { $ref: '#' } } } },
  { type: 'array', minItems: 1, items: { properties: { next: { type: 'array', minItems: 1, items: { $ref: '#' } } } } },
])('a sample of %j is one', (schema: JsonObject) => {
  const validate = new Ajv({ strict: false, validateFormats: false }).compile(schema)
  validate(sampleOf(schema))
  expect(validate.errors).toBeNull()
})

test('a sample of a schema that holds itself ends, and so does one of a schema that is wide at every depth', () => {
  const node: JsonObject = { type: 'object', required: ['next'], properties: { next: { $ref: '#' } } }
  expect(JSON.stringify(sampleOf(node)).length).toBeLessThan(1_000)
  const names = Array.from({ length: 100 }, (_none, index) => `property${index}`)
  const wide = {
    type: 'object',
    required: names,
    properties: Object.fromEntries(names.map((name) => [name, { $ref: '#' }])),
  }
  expect(JSON.stringify(sampleOf(wide)).length).toBeLessThan(1_000_000)
})

test.each([
  [avroCodec, catalog[1]],
  [protobufCodec, catalog[2]],
] as const)('a sample of data in another format is taken by %o', (codec, entry) => {
  const sample = sampleOf(eventData(entry))
  expect(isJsonObject(sample) && Object.keys(sample).length > 1).toBe(true)
  expect(codec(entry).fromJson(sample)).toMatchObject({ ok: true })
})
