import type { JsonObject } from '@millrace/core/json'
import { expect, test } from 'vitest'
import { compileJsonSchema, violationsMax } from '../src/json-schema.ts'

const draft07 = 'http://json-schema.org/draft-07/schema#'
const draft2020 = 'https://json-schema.org/draft/2020-12/schema'

const order: JsonObject = {
  $schema: draft07,
  type: 'object',
  additionalProperties: false,
  required: ['id', 'at'],
  properties: {
    id: { type: 'string' },
    at: { type: 'string', format: 'date-time' },
    lines: { type: 'array', items: { type: 'integer' } },
  },
}

test('every violation is named with its pointer, a missing or surplus property by its own', () => {
  const violations = compileJsonSchema(order)({ at: 'noon', 'a/b': 1, lines: [1, 'two'] })
  expect(violations.map(({ pointer }) => pointer).sort()).toEqual(['/at', '/a~1b', '/id', '/lines/1'])
})

test('valid data has none, and is left as it was', () => {
  const data = { id: 'a', at: '2026-01-01T00:00:00Z', lines: [1] }
  expect(compileJsonSchema(order)(data)).toEqual([])
  expect(data).toEqual({ id: 'a', at: '2026-01-01T00:00:00Z', lines: [1] })
})

test('the dialect is what the schema says it is', () => {
  const tuple: JsonObject = { type: 'array', prefixItems: [{ type: 'string' }] }
  expect(compileJsonSchema({ ...tuple, $schema: draft2020 })([1])).toHaveLength(1)
  expect(compileJsonSchema({ ...tuple, $schema: draft07 })([1])).toEqual([])
})

test('the number of violations is bounded, whatever the data', () => {
  const items: JsonObject = { type: 'array', items: { type: 'string' } }
  const validate = compileJsonSchema(items)
  expect(validate(Array.from({ length: 1_000 }, () => 1))).toHaveLength(violationsMax)
  expect(validate(Array.from({ length: 1_000_000 }, () => 1))).toHaveLength(1)
})

test.each([
  ['a type that does not exist', { type: 'text' }],
  ['a reference to somewhere else', { $ref: 'https://example.com/other.json' }],
])('a schema with %s is refused', (_what, schema) => {
  expect(() => compileJsonSchema(schema)).toThrow(expect.objectContaining({ code: 'registry.refused' }))
})
