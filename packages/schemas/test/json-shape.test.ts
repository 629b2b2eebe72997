import type { JsonObject, JsonValue } from '@millrace/core/json'
import { Ajv2019 } from 'ajv/dist/2019.js'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { Ajv } from 'ajv'
import { expect, test } from 'vitest'
import { dataShape } from '../src/data-shape.ts'
import { compileJsonSchema, type JsonSchemaReference } from '../src/json-schema.ts'

const draft2019 = 'https://json-schema.org/draft/2019-09/schema'
const draft2020 = 'https://json-schema.org/draft/2020-12/schema'

const address = {
  name: 'address.json',
  schema: JSON.stringify({
    properties: { zip: { $ref: 'zip.json' }, size: { $ref: '#/definitions/size' }, before: { $ref: '#' } },
    required: ['zip'],
    definitions: { size: { type: 'integer' } },
  }),
}
const references = [address, { name: 'zip.json', schema: '{"type":"string","minLength":5}' }]
const node = { properties: { children: { type: 'array', items: { $ref: '#/definitions/node' } } } }

type Case = {
  readonly what: string
  readonly schema: JsonObject
  readonly references?: readonly JsonSchemaReference[]
  readonly valid: readonly JsonValue[]
  readonly invalid: readonly JsonValue[]
}

const addresses = {
  references,
  valid: [{}, { to: { zip: '12345', before: { zip: '54321' } }, size: 1 }],
  invalid: [
    { to: {} },
    { to: { zip: '1' } },
    { to: { zip: '12345', before: {} } },
    { to: { zip: '12345', size: 'x' } },
    { size: 'x' },
  ],
}
const properties = { to: { $ref: 'address.json' }, size: { $ref: 'address.json#/definitions/size' } }

const cases: readonly Case[] = [
  { what: 'other subjects', schema: { properties }, ...addresses },
  { what: 'other subjects, with an id', schema: { $id: 'https://example.com/a/b.json#', properties }, ...addresses },
  { what: 'other subjects, with a relative id', schema: { $id: 'b.json', properties }, ...addresses },
  {
    what: 'itself',
    schema: { $ref: '#/definitions/node', definitions: { node } },
    valid: [{ children: [{ children: [] }] }],
    invalid: [{ children: [{ children: 1 }] }],
  },
  {
    what: 'ids and anchors within itself',
    schema: {
      $schema: draft2020,
      $id: 'https://example.com/a/b.json',
      properties: { a: { $ref: 'c.json' }, b: { $ref: 'c.json#top' }, c: { $ref: '#low' } },
      $defs: { c: { $id: 'c.json', $anchor: 'top', type: 'integer' }, d: { $anchor: 'low', $ref: 'c.json' } },
    },
    valid: [{ a: 1, b: 1, c: 1 }],
    invalid: [{ a: 'x' }, { b: 'x' }, { c: 'x' }],
  },
  {
    what: 'itself dynamically',
    schema: {
      $schema: draft2020,
      $dynamicAnchor: 'tree',
      properties: { next: { $dynamicRef: '#tree' } },
      maxProperties: 1,
    },
    valid: [{ next: { next: {} } }],
    invalid: [{ next: { next: { a: 1, b: 2 } } }],
  },
  {
    what: 'itself recursively, by way of another',
    schema: { $schema: draft2019, $recursiveAnchor: true, $ref: 'tree.json', maxProperties: 1 },
    references: [
      { name: 'tree.json', schema: '{"$recursiveAnchor":true,"properties":{"next":{"$recursiveRef":"#"}}}' },
    ],
    valid: [{ next: { next: {} } }],
    invalid: [{ next: { a: 1, b: 2 } }],
  },
  {
    what: 'a schema that is true, and one that is false',
    schema: {
      properties: { a: { $ref: '#/definitions/any' }, b: { $ref: '#/definitions/none' } },
      definitions: { any: true, none: false },
    },
    valid: [{ a: 1 }],
    invalid: [{ b: 1 }],
  },
  {
    what: 'two schemas of one name',
    schema: {
      properties: { a: { $ref: '#/definitions/x' }, b: { $ref: 'schema#/definitions/x' } },
      definitions: { x: { type: 'integer' } },
    },
    references: [{ name: 'schema', schema: '{"definitions":{"x":{"type":"string"}}}' }],
    valid: [{ a: 1, b: 'x' }],
    invalid: [{ a: 'x' }, { b: 1 }],
  },
  {
    what: 'nothing, where data and properties look like references',
    schema: { properties: { $ref: { const: { $ref: '#/nowhere' } }, definitions: { enum: [{ $id: 'x' }] } } },
    valid: [{ $ref: { $ref: '#/nowhere' }, definitions: { $id: 'x' } }],
    invalid: [{ $ref: 1 }, { definitions: {} }],
  },
]

function ajvOf({ $schema }: JsonObject) {
  return $schema === draft2020
    ? new Ajv2020({ strict: false })
    : new (($schema === draft2019 && Ajv2019) || Ajv)({ strict: false })
}

test.each(cases)('the shape of a JSON Schema that refers to $what stands by itself and says the same', (one) => {
  const shape = dataShape({ format: 'json', schema: one.schema, references: one.references ?? [] })
  const ownReferences = JSON.stringify(shape).match(/"\$(?:ref|id)":"(?!#"|#\/definitions\/[\w.-]+")/g) ?? []
  if (!one.what.startsWith('nothing')) expect(ownReferences).toEqual([])
  const validate = compileJsonSchema(one.schema, one.references)
  const fits = ajvOf(shape).compile(shape)
  for (const value of one.valid) expect([value, validate(value), fits(value)]).toEqual([value, [], true])
  for (const value of one.invalid)
    expect([value, validate(value).length > 0, fits(value)]).toEqual([value, true, false])
})

test('what a schema refers to and validation never looks at may be nowhere', () => {
  const text = { type: 'string', contentMediaType: 'application/json' }
  const nowhere = { $ref: 'https://example.com/other.json' }
  const schema = { $schema: draft2020, properties: { a: { ...text, contentSchema: nowhere }, b: { if: nowhere } } }
  expect(compileJsonSchema(schema)({ a: '{}', b: 1 })).toEqual([])
  const shape = dataShape({ format: 'json', schema, references: [] })
  expect(shape).toEqual({ $schema: draft2020, properties: { a: { ...text, contentSchema: {} }, b: { if: {} } } })
})
