import { schemasWithoutId } from '@asyncapi/specs'
import type { CatalogEntry } from '@millrace/core/catalog'
import { isJsonObject, type JsonObject } from '@millrace/core/json'
import { provenanceHeaders } from '@millrace/core/provenance'
import { Validator } from '@seriousme/openapi-schema-validator'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { Ajv } from 'ajv'
import { fastify } from 'fastify'
import { expect, test } from 'vitest'
import * as z from 'zod'
import { asyncApiDocument } from '../src/documents/asyncapi.ts'
import { openApiDocument } from '../src/documents/openapi.ts'
import { examples } from '../src/documents/examples.ts'
import { operations } from '../src/documents/operations.ts'
import { referenceOf } from '../src/documents/reference/reference.ts'
import { documentRoutes, noteRoutes } from '../src/documents/routes.ts'
import { shapes } from '../src/documents/shapes.ts'
import { catalog, summed } from './documents-catalog.ts'

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

test.each([
  ['none', {}, 'draft-07'],
  ['draft-07', { $schema: 'http://json-schema.org/draft-07/schema#' }, 'draft-07'],
  ['2019-09', { $schema: 'https://json-schema.org/draft/2019-09/schema' }, 'draft-2019-09'],
  ['2020-12', { $schema: 'https://json-schema.org/draft/2020-12/schema' }, 'draft-2020-12'],
])('a JSON Schema whose dialect is %s is labelled with it in the AsyncAPI document', (_dialect, schema, label) => {
  expect(asyncApiDocument([{ ...catalog[0], type: 'odd', schema }])).toHaveProperty(
    ['components', 'messages', 'odd', 'payload', 'schemaFormat'],
    `application/schema+json;version=${label}`,
  )
})

const withComponents = z.object({ components: z.record(z.string(), z.record(z.string(), z.unknown())) })
/** Types whose names are as like one another, and what the documents name by themselves, as names can be. */
const alike = [
  'line.drawn',
  'Line.drawn',
  'line-drawn',
  'line_drawn',
  'line.drawn_point',
  'line.drawn.point',
  'EventFrame',
].map((type) => ({ ...catalog[0], type, topic: type }))

test('types with like names are each described, under names that components may have', () => {
  const openApi = withComponents.parse(openApiDocument([], alike))
  const asyncApi = withComponents.parse(asyncApiDocument(alike))
  const names = alike.map(({ type }) => type)
  const schemas = Object.keys(openApi.components['schemas'] ?? {}).filter((name) => name.startsWith('data.'))
  expect(schemas.toSorted()).toEqual(names.flatMap((name) => [`data.${name}`, `data.${name}..point`]).toSorted())
  const messages = asyncApi.components['messages'] ?? {}
  for (const name of names) expect(messages).toHaveProperty([name, 'name'], name)
  expect(Object.keys(messages)).toHaveLength(names.length + 1)
  for (const { components } of [openApi, asyncApi]) {
    for (const name of Object.values(components).flatMap(Object.keys)) expect(name).toMatch(/^[a-zA-Z0-9._-]+$/)
  }
})

test('results of pipelines have headers that say how they came about, and no other events do', () => {
  const window = { kind: 'session', gapMs: 60_000 } as const
  const pipeline = { ...summed, name: 'sessions', window }
  const corrected = { ...summed, late: { kind: 'correct', withinMs: 1, beyond: { kind: 'drop' } } as const }
  const types = [
    { ...catalog[0], type: 'summed', pipeline: summed },
    { ...catalog[0], type: 'sessions', pipeline },
    { ...catalog[0], type: 'corrected', pipeline: corrected },
  ]
  const { messages } = messagesShape.parse(asyncApiDocument([...types, ...catalog])['components'])
  const headersOf = (type: string) => messages[type]?.headers.properties ?? {}
  const ownOf = (type: string) => Object.keys(headersOf(type)).filter((name) => !(name in headersOf('line.drawn')))
  expect(ownOf('summed')).toEqual(Object.values(provenanceHeaders))
  expect(ownOf('sessions')).toEqual(Object.values(provenanceHeaders).filter((name) => name !== 'ce_filtered'))
  expect(headersOf('summed')).toMatchObject({ ce_revision: { const: '1' }, ce_late: { const: '0' } })
  expect(headersOf('corrected')).toMatchObject({ ce_revision: { pattern: '^[0-9]+$' } })
  for (const { type } of catalog) expect(ownOf(type)).toEqual([])
})

const properties = z.record(z.string(), z.unknown())
const messagesShape = z.object({
  messages: z.record(z.string(), z.object({ headers: z.object({ properties }).default({ properties: {} }) })),
})

test('an empty catalog is described too', () => {
  expect(asyncApiDocument([])['channels']).toEqual({})
  expect(Object.keys(openApiDocument([], [])['paths'] ?? {})).toEqual([])
})

test('what a schema refers to within itself it finds within the documents', () => {
  const openApi = openApiDocument(routes, catalog)
  expect(openApi).toHaveProperty(
    ['components', 'schemas', 'data.line.drawn', 'properties', 'next', '$ref'],
    '#/components/schemas/data.line.drawn..point',
  )
  expect(openApi).toHaveProperty(
    ['components', 'schemas', 'data.line.drawn..point', 'properties', 'next', '$ref'],
    '#/components/schemas/data.line.drawn..point',
  )
  expect(openApi).not.toHaveProperty(['components', 'schemas', 'data.line.drawn', '$id'])
  expect(openApi).not.toHaveProperty(['components', 'schemas', 'data.line.drawn', 'definitions'])
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

function shapesWith(schema: JsonObject): JsonObject {
  return { ...schema, components: { schemas: shapes } }
}

test.each(Object.entries(examples))('the example of %s is one', (name, example) => {
  const ajv = new Ajv2020({ strict: false, validateFormats: false })
  const validate = ajv.compile(shapesWith({ $ref: `#/components/schemas/${name}` }))
  validate(example)
  expect(validate.errors).toBeNull()
})

test('every example of a body is one of its schema, and every answer but an upgrade has a body', () => {
  const { paths } = openApiDocument(routes, catalog)
  const ajv = new Ajv2020({ strict: false, validateFormats: false })
  let examined = 0
  for (const { name, content } of bodiesOf(paths)) {
    for (const [mediaType, { schema, example }] of Object.entries(content)) {
      expect(isJsonObject(schema), `${name} ${mediaType}`).toBe(true)
      if (example === undefined || !isJsonObject(schema)) continue
      const validate = ajv.compile(shapesWith(schema))
      validate(example)
      expect(validate.errors, `${name} ${mediaType}`).toBeNull()
      examined += 1
    }
  }
  expect(examined).toBeGreaterThan(100)
})

type Body = { name: string; content: Record<string, { schema?: unknown; example?: unknown }> }
const bodyContent = z.record(z.string(), z.object({ schema: z.unknown(), example: z.unknown().optional() }))
const document = z.record(
  z.string(),
  z.record(
    z.string(),
    z.object({
      tags: z.array(z.string()).length(1),
      requestBody: z.object({ content: bodyContent }).optional(),
      responses: z.record(z.string(), z.object({ content: bodyContent.optional() })),
    }),
  ),
)

function bodiesOf(paths: unknown): Body[] {
  return Object.entries(document.parse(paths)).flatMap(([path, methods]) =>
    Object.entries(methods).flatMap(([method, { requestBody, responses }]) => [
      ...(requestBody ? [{ name: `${method} ${path}`, content: requestBody.content }] : []),
      ...Object.entries(responses).flatMap(([status, { content }]) => {
        const name = `${method} ${path} ${status}`
        if (status !== '101') expect(content, name).toBeDefined()
        return content ? [{ name, content }] : []
      }),
    ]),
  )
}

test('the data of event types in all formats is described, and one that cannot be read takes nothing from the others', () => {
  const broken = { ...catalog[2], type: 'broken', schema: 'message {' }
  expect(openApiDocument([], [...catalog, broken])).toMatchObject({
    components: {
      schemas: {
        'data.line.drawn': { type: 'object' },
        'data.quake.recorded': { $ref: '#/components/schemas/data.quake.recorded..Quake' },
        'data.quake.recorded..Quake': { required: ['magnitude', 'felt'] },
        'data.weather.observed..Weather': { properties: { seenAt: { format: 'date-time' } } },
        'data.broken': {},
      },
    },
  })
})

test('whatever a schema refers to, and by what name, is a component of its own', () => {
  const definitions = { a: { properties: { b: { const: 1 } } }, 'c d': { const: 2 } }
  const properties = {
    x: { $ref: '#/definitions/a/properties/b' },
    y: { $ref: '#/definitions/c d' },
    z: { $ref: 'z.json' },
    $ref: { const: { $ref: '#' } },
  }
  const references = [{ name: 'z.json', subject: 'z', version: 1, schema: '{"properties":{"z":{"$ref":"#"}}}' }]
  const odd = { ...catalog[0], type: 'odd', schema: { type: 'object', properties, definitions }, references }
  const { schemas } = z
    .object({ schemas: z.record(z.string(), z.unknown()) })
    .parse(openApiDocument([], [odd])['components'])
  const place = '#/components/schemas/data.odd'
  expect(schemas).toMatchObject({
    'data.odd': {
      properties: {
        x: { $ref: `${place}..b` },
        y: { $ref: `${place}..c_d` },
        z: { $ref: `${place}..z.json` },
        $ref: { const: { $ref: '#' } },
      },
    },
    'data.odd..b': { const: 1 },
    'data.odd..c_d': { const: 2 },
    'data.odd..z.json': { properties: { z: { $ref: `${place}..z.json` } } },
  })
  expect(schemas['data.odd']).not.toHaveProperty('definitions')
})

test('what a JSON Schema refers to in other subjects is in the AsyncAPI document, also where the schema is text', () => {
  const references = [{ name: 'z.json', subject: 'z', version: 1, schema: '{"type":"integer"}' }]
  const schema = '{"properties":{"z":{"$ref":"z.json"}}}'
  const payload = ['components', 'messages', 'odd', 'payload', 'schema']
  const document = asyncApiDocument([{ ...catalog[0], type: 'odd', schema, references }])
  expect(document).toHaveProperty([...payload, 'properties', 'z', '$ref'], `#/${payload.join('/')}/definitions/z.json`)
  expect(document).toHaveProperty([...payload, 'definitions', 'z.json'], { type: 'integer' })
})

test('the documents follow the catalog', async () => {
  let entries: readonly CatalogEntry[] = []
  const app = fastify()
  const noted = noteRoutes(app)
  await documentRoutes(app, { all: () => entries }, noted)
  for (const types of [
    [],
    catalog.slice(0, 1),
    catalog.slice(1),
    catalog.slice(1).map((entry) => ({ ...entry, topic: 'moved' })),
  ]) {
    entries = types
    const openApi = await app.inject('/openapi.json')
    expect(openApi.headers['content-type']).toBe('application/json; charset=utf-8')
    const wanted: unknown = JSON.parse(JSON.stringify(openApiDocument(noted, types)))
    expect(openApi.json()).toEqual(wanted)
    const asyncApi: unknown = JSON.parse(JSON.stringify(asyncApiDocument(types)))
    expect((await app.inject('/asyncapi.json')).json()).toEqual(asyncApi)
    const { body } = await app.inject('/docs/reference')
    expect(body).toBe(referenceOf(openApiDocument(noted, types), types))
  }
})
