import { schemasWithoutId } from '@asyncapi/specs'
import { isJsonObject } from '@millrace/core/json'
import type { CatalogEntry } from '@millrace/core/catalog'
import { Validator } from '@seriousme/openapi-schema-validator'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { Ajv } from 'ajv'
import { fastify } from 'fastify'
import { expect, test } from 'vitest'
import { asyncApiDocument } from '../src/documents/asyncapi.ts'
import { openApiDocument } from '../src/documents/openapi.ts'
import { operations } from '../src/documents/operations.ts'
import { noteRoutes } from '../src/documents/routes.ts'
import { shapes } from '../src/documents/shapes.ts'

const common = {
  time: null,
  partitions: 3,
  retentionMs: 86_400_000,
  compatibility: 'BACKWARD',
  version: 1,
  references: [],
  sensitive: [],
} as const
const point = { type: 'object', properties: { next: { $ref: '#/definitions/point' } } }
const catalog: readonly CatalogEntry[] = [
  {
    ...common,
    type: 'line.drawn',
    format: 'json',
    topic: 'line.drawn',
    key: '/next',
    schemaId: 1,
    schema: { $id: 'urn:line', ...point, definitions: { point } },
  },
  {
    ...common,
    type: 'quake.recorded',
    format: 'avro',
    topic: 'quake.recorded',
    key: null,
    schemaId: 2,
    schema: { type: 'record', name: 'Quake', fields: [] },
  },
  {
    ...common,
    type: 'weather.observed',
    format: 'protobuf',
    topic: 'weather',
    key: null,
    schemaId: 3,
    schema: 'syntax = "proto3"; message Weather {}',
  },
]
const routes = Object.keys(operations).map((name) => {
  const [method = '', url = ''] = name.split(' ')
  return { method, url }
})

test('the OpenAPI document is valid', async () => {
  const { valid, errors } = await new Validator().validate(structuredClone(openApiDocument(routes, catalog)))
  expect(errors).toBeUndefined()
  expect(valid).toBe(true)
})

test('the AsyncAPI document is valid', () => {
  const specification: unknown = schemasWithoutId['3.1.0']
  if (!isJsonObject(specification)) throw new TypeError('no specification')
  const validate = new Ajv({ strict: false, validateFormats: false }).compile(specification)
  validate(asyncApiDocument(catalog))
  expect(validate.errors).toBeNull()
})

test('an empty catalog is described too', () => {
  expect(asyncApiDocument([])['channels']).toEqual({})
  expect(Object.keys(openApiDocument([], [])['paths'] ?? {})).toEqual([])
})

test('what a schema refers to within itself it finds within the documents', () => {
  const openApi = openApiDocument(routes, catalog)
  expect(openApi).toHaveProperty(
    ['components', 'schemas', 'data.line.drawn', 'properties', 'next', '$ref'],
    '#/components/schemas/data.line.drawn/definitions/point',
  )
  expect(openApi).not.toHaveProperty(['components', 'schemas', 'data.line.drawn', '$id'])
  expect(asyncApiDocument(catalog)).toHaveProperty(
    ['components', 'messages', 'line.drawn', 'payload', 'schema', 'properties', 'next', '$ref'],
    '#/components/messages/line.drawn/payload/schema/definitions/point',
  )
})

test('a route that is not described is refused', () => {
  expect(() => openApiDocument([{ method: 'GET', url: '/v1/secret' }], [])).toThrow('GET /v1/secret is not described')
})

test('routes are noted as they are added, without the HEAD that fastify adds', () => {
  const app = fastify()
  const noted = noteRoutes(app)
  app.get('/a/:b', () => 'x')
  expect(noted).toEqual([{ method: 'GET', url: '/a/:b' }])
})

test('every shape is a JSON Schema', () => {
  const ajv = new Ajv2020({ strict: false, validateFormats: false })
  const all = { $defs: shapes, components: { schemas: shapes } }
  for (const name of Object.keys(shapes)) {
    expect(() => ajv.compile({ ...all, $ref: `#/components/schemas/${name}` })).not.toThrow()
  }
})
