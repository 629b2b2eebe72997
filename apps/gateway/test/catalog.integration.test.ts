import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { JsonObject } from '@millrace/core/json'
import { openAdmin } from '@millrace/kafka/admin'
import { openRegistry } from '@millrace/schemas/registry'
import { readConfig } from '@millrace/service/config'
import { createLogger } from '@millrace/service/logger'
import { layoutOf } from '@millrace/stack/layout'
import { stack } from '@millrace/testkit/fixture'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import * as z from 'zod'
import { gatewayConfig } from '../src/config.ts'
import { startGateway } from '../src/gateway.ts'
import { bearer, get, problemOf } from './api.ts'

const { gatewayUrl, connection, registryUrl, registryPassword, caPem, portBase, stateDirectory } = stack()
const admin = openAdmin(connection('admin'))
const registry = openRegistry({ url: registryUrl, caPem, username: 'admin', password: registryPassword })
const secondUrl = `http://127.0.0.1:${portBase + 5}`
const closing: (() => Promise<void>)[] = [admin.close, registry.close]

/** A second instance of the gateway, whose log is kept. */
const logged: string[] = []
beforeAll(async () => {
  const directory = await mkdtemp(join(tmpdir(), 'gateway-'))
  const kept = join(layoutOf(stateDirectory).configuration, 'gateway.json')
  const settings = z.looseObject({}).parse(JSON.parse(await readFile(kept, 'utf8')))
  const file = join(directory, 'gateway.json')
  await writeFile(file, JSON.stringify({ ...settings, port: portBase + 5, partitionsMax: 12 }), { mode: 0o600 })
  const logger = createLogger('test', 'silent')
  logger.info = (fields: unknown) => logged.push(JSON.stringify(fields))
  const lifecycle = {
    logger,
    onClose: (_name: string, close: () => Promise<void>) => closing.push(close),
    isReady: () => true,
    fail: () => undefined,
  }
  const service = await startGateway(await readConfig(gatewayConfig, ['--config', file]), lifecycle)
  closing.push(service.close, () => rm(directory, { recursive: true }))
})
afterAll(async () => {
  for (const close of closing.reverse()) await close()
})

const entryShape = z.strictObject({
  type: z.string(),
  format: z.enum(['json', 'avro', 'protobuf']),
  schema: z.union([z.string(), z.record(z.string(), z.unknown())]),
  schemaId: z.int(),
  version: z.int(),
  topic: z.string(),
  partitions: z.int(),
  key: z.string().nullable(),
  time: z.string().nullable(),
  compatibility: z.string(),
  references: z.array(z.strictObject({ name: z.string(), subject: z.string(), version: z.int() })),
  retentionMs: z.int(),
  compacted: z.boolean(),
  sensitive: z.array(z.string()),
})

type Put = { readonly scopes?: readonly string[]; readonly url?: string; readonly contentType?: string }

async function put(type: string, body: unknown, how: Put = {}): Promise<Response> {
  const { scopes = ['catalog:write'], url = gatewayUrl, contentType = 'application/json' } = how
  return fetch(`${url}/v1/event-types/${encodeURIComponent(type)}`, {
    method: 'PUT',
    headers: { ...(await bearer(...scopes)), 'content-type': contentType },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  })
}

/** The entry of an answer, which must have this status. */
async function entryOf(answer: Response, status: number) {
  const text = await answer.text()
  if (answer.status !== status) throw new Error(`expected ${status}, got ${answer.status}: ${text}`)
  return entryShape.parse(JSON.parse(text))
}

async function entryAt(url: string, type: string) {
  const answer = await fetch(`${url}/v1/event-types/${type}`, { headers: await bearer('catalog:read') })
  return answer.ok ? entryShape.parse(await answer.json()) : undefined
}

const object = (properties: JsonObject, required: readonly string[] = []): JsonObject => ({
  $schema: 'http://json-schema.org/draft-07/schema#',
  type: 'object',
  additionalProperties: false,
  properties,
  required,
})
const record = (...fields: readonly JsonObject[]): JsonObject => ({
  type: 'record',
  name: 'Order',
  namespace: 'shop',
  fields,
})
const proto = (fields: string) => `syntax = "proto3"; package shop; message Order { string id = 1; ${fields} }`
const id = { id: { type: 'string' } }
const idField = { name: 'id', type: 'string' }
const twelve = { partitions: 2, retentionMs: 3_600_000 }

/** The same story in each format: what is made, what may follow, what may not and where, and what is no schema. */
const formats = [
  {
    format: 'json',
    first: object(id),
    next: object({ ...id, note: { type: 'string' } }),
    bad: object({ id: { type: 'integer' }, note: { type: 'string' } }),
    where: { pointer: '/schema/properties/id', text: /\/properties\/id/ },
    none: { type: 'nothing' },
  },
  {
    format: 'avro',
    first: record(idField),
    next: record(idField, { name: 'note', type: 'string', default: '' }),
    bad: record(idField, { name: 'amount', type: 'double' }),
    where: { pointer: '/schema/fields/1', text: /"amount"/ },
    none: { type: 'record', name: 'Order' },
  },
  {
    format: 'protobuf',
    first: proto(''),
    next: proto('string note = 2;'),
    bad: 'syntax = "proto3"; package shop; message Order { int64 id = 1; }',
    where: { pointer: '/schema', text: /shop\.Order\.id/ },
    none: 'message {',
  },
] as const

test.each(formats)(
  'a type in $format is made, evolved and refused',
  async ({ format, first, next, bad, where, none }) => {
    const type = `catalog-${format}.placed`
    const body = { format, schema: first, key: '/id', ...twelve }
    const made = await entryOf(await put(type, body), 201)
    expect(made).toMatchObject({
      type,
      topic: type,
      format,
      key: '/id',
      time: null,
      ...twelve,
      version: 1,
      schema: first,
    })
    const topics = await admin.topics([type, `${type}.dlq`])
    expect(topics.get(type)).toMatchObject({ partitions: 2, replication: 3 })
    expect(topics.get(type)?.config).toMatchObject({ 'retention.ms': '3600000', 'min.insync.replicas': '2' })
    expect(topics.get(`${type}.dlq`)).toMatchObject({ partitions: 1, replication: 3 })
    expect(await registry.compatibility(`${type}-value`)).toBe('BACKWARD')

    expect(await entryOf(await put(type, body), 200)).toEqual(made)
    const asText = typeof first === 'string' ? first : JSON.stringify(first, undefined, 2)
    expect(await entryOf(await put(type, { ...body, schema: asText }), 200)).toEqual(made)
    const evolved = await entryOf(await put(type, { format, schema: next }), 200)
    expect(evolved).toEqual({ ...made, schema: next, schemaId: evolved.schemaId, version: 2 })
    expect(await entryAt(gatewayUrl, type)).toEqual(evolved)

    const incompatible = await problemOf(await put(type, { format, schema: bad, retentionMs: 7_200_000 }), 409)
    expect(incompatible.detail).toMatch(/BACKWARD/)
    expect(incompatible.detail).toMatch(where.text)
    expect(incompatible.errors?.map(({ pointer }) => pointer).join()).toContain(where.pointer)
    const refused = await problemOf(await put(type, { format, schema: none }), 422)
    expect(refused.errors?.[0]?.pointer).toBe('/schema')
    const nowhere = await problemOf(await put(type, { format, schema: next, key: '/nothing' }), 422)
    expect(nowhere.errors?.[0]?.pointer).toBe('/key')
    expect(await entryAt(gatewayUrl, type)).toEqual(evolved)
    expect((await admin.topics([type])).get(type)?.config['retention.ms']).toBe('3600000')
  },
)

test('a type is live on every instance within a second of the answer', async () => {
  const type = 'catalog-live.placed'
  await entryOf(await put(type, { format: 'json', schema: object(id) }, { url: secondUrl }), 201)
  const entry = await entryAt(secondUrl, type)
  expect(entry).toMatchObject({ type, partitions: 6, compatibility: 'BACKWARD' })
  await vi.waitFor(async () => expect(await entryAt(gatewayUrl, type)).toEqual(entry), { timeout: 1_000, interval: 20 })
})

test('a JSON Schema that says no dialect is one of draft-07, and says so from then on', async () => {
  const body = { format: 'json', schema: { type: 'object' } }
  const made = await put('gateway-put.dialect', body)
  expect(made.status).toBe(201)
  const $schema = 'http://json-schema.org/draft-07/schema#'
  expect(await made.json()).toMatchObject({ version: 1, schema: { $schema, type: 'object' } })
  const again = await put('gateway-put.dialect', body)
  expect(again.status).toBe(200)
  expect(await again.json()).toMatchObject({ version: 1 })
})

test('references must exist, and are kept', async () => {
  const type = 'catalog-reference.placed'
  const shared = await registry.register(
    'catalog-shared',
    'PROTOBUF',
    'syntax = "proto3"; package shop; message Money { int64 units = 1; }',
  )
  const schema = 'syntax = "proto3"; package shop; import "money.proto"; message Order { Money price = 1; }'
  const references = [{ name: 'money.proto', subject: 'catalog-shared', version: shared.version }]
  const made = await entryOf(await put(type, { format: 'protobuf', schema, references }), 201)
  expect(made.references).toEqual(references)
  expect(await entryOf(await put(type, { format: 'protobuf', schema, references }), 200)).toEqual(made)
  for (const wrong of [[], [{ ...references[0], version: 9 }], [{ ...references[0], subject: 'nowhere' }]]) {
    await problemOf(await put(type, { format: 'protobuf', schema, references: wrong }), 422)
  }
})

test('partitions grow when that is asked for, and never shrink; retention changes', async () => {
  const type = 'catalog-growing.placed'
  const body = { format: 'json', schema: object(id) }
  await entryOf(await put(type, { ...body, partitions: 2 }), 201)
  for (const refused of [{ partitions: 1 }, { partitions: 1, repartition: true }, { partitions: 3 }]) {
    const { errors } = await problemOf(await put(type, { ...body, ...refused }), 409)
    expect(errors?.[0]?.pointer).toBe('/partitions')
  }
  const grown = await entryOf(await put(type, { ...body, partitions: 3, repartition: true, retentionMs: 60_000 }), 200)
  expect(grown).toMatchObject({ partitions: 3, retentionMs: 60_000, version: 1 })
  await vi.waitFor(async () => expect((await admin.topics([type])).get(type)?.partitions).toBe(3), { timeout: 5_000 })
  expect((await admin.topics([type])).get(type)?.config['retention.ms']).toBe('60000')
  expect(await entryOf(await put(type, body), 200)).toEqual(grown)
})

test("a topic of another type or of somebody else's is not to be had, and format and topic stay", async () => {
  const body = { format: 'json', schema: object(id) }
  await admin.createTopic({ name: 'catalog-foreign', partitions: 1, replication: 3, config: {} })
  await entryOf(await put('catalog-kept.placed', body), 201)
  await problemOf(await put('catalog-foreign', body), 409)
  await problemOf(await put('catalog-taken.placed', { ...body, topic: 'catalog-foreign' }), 409)
  await problemOf(await put('catalog-taken.placed', { ...body, topic: 'catalog-kept.placed' }), 409)
  await problemOf(await put('catalog-kept.placed', { ...body, topic: 'catalog-elsewhere' }), 409)
  await problemOf(await put('catalog-kept.placed', { format: 'avro', schema: record(idField) }), 409)
  const named = await entryOf(await put('catalog-named.placed', { ...body, topic: 'catalog-topic' }), 201)
  expect(named.topic).toBe('catalog-topic')
  expect(await entryOf(await put('catalog-named.placed', body), 200)).toEqual(named)
})

test('the compatibility holds from the first evolution on, and is set back when a schema is refused under a new one', async () => {
  const type = 'catalog-full.placed'
  const full = { format: 'json', compatibility: 'FULL' }
  await entryOf(await put(type, { ...full, schema: object(id) }), 201)
  const wider = object({ ...id, note: { type: 'string' } })
  const { detail } = await problemOf(await put(type, { format: 'json', schema: wider }), 409)
  expect(detail).toMatch(/not FULL compatible/)
  const forward = { format: 'json', schema: object({ id: { type: 'number' } }), compatibility: 'BACKWARD' }
  await problemOf(await put(type, forward), 409)
  expect(await registry.compatibility(`${type}-value`)).toBe('FULL')
  expect((await entryAt(gatewayUrl, type))?.compatibility).toBe('FULL')
  expect(await entryOf(await put(type, { ...forward, compatibility: 'NONE' }), 200)).toMatchObject({
    version: 2,
    compatibility: 'NONE',
  })
  // Back to the first version, which the second forbids unless nothing is asked for.
  await problemOf(await put(type, { ...full, schema: object(id) }), 409)
  expect(await entryOf(await put(type, { format: 'json', schema: object(id) }), 200)).toMatchObject({ version: 1 })
})

test.each([
  ['_internal', {}, ''],
  ['order.dlq', {}, ''],
  ['order.late', {}, ''],
  ['connect-order', {}, ''],
  ['millrace-order', {}, ''],
  ['Order.DLQ', {}, ''],
  ['order..placed', {}, ''],
  ['order placed', {}, ''],
  ['catalog-body', { topic: 'order.dlq' }, '/topic'],
  ['catalog-body', { partitions: 0 }, '/partitions'],
  ['catalog-body', { partitions: 101 }, '/partitions'],
  ['catalog-body', { retentionMs: 1 }, '/retentionMs'],
  ['catalog-body', { compatibility: 'SOME' }, '/compatibility'],
  ['catalog-body', { format: 'xml' }, '/format'],
  ['catalog-body', { schema: 1 }, '/schema'],
  ['catalog-body', { schema: '[]' }, '/schema'],
  ['catalog-body', { schema: { type: 'integer', maximum: null } }, '/schema/maximum'],
  ['catalog-body', { key: 'id' }, '/key'],
  ['catalog-body', { time: '/nothing' }, '/time'],
  ['catalog-body', { sensitive: ['/id', '/nothing'] }, '/sensitive/1'],
  ['catalog-body', { references: [{ name: 'a', subject: 'b', version: 1, more: 1 }] }, '/references/0/more'],
  ['catalog-body', { retention: 1 }, '/retention'],
])('%s with %o is refused: 422 at "%s"', async (type, members, pointer) => {
  const body = JSON.stringify({ format: 'json', schema: object(id), ...members }).replace(
    '"maximum":null',
    '"maximum":1e400',
  )
  const { errors } = await problemOf(await put(type, body), 422)
  expect(errors?.[0]?.pointer).toBe(pointer)
  expect((await get(`/v1/event-types/${type}`, 'catalog:read')).status).toBe(404)
})

test('a body that is not JSON is 400 or 415, a token without the scope 403, no token 401', async () => {
  await problemOf(await put('catalog-body', '{'), 400)
  await problemOf(await put('catalog-body', '{}', { contentType: 'text/plain' }), 415)
  await problemOf(await put('catalog-body', {}, { scopes: ['catalog:read', 'events:write:*'] }), 403)
  await problemOf(await fetch(`${gatewayUrl}/v1/event-types/catalog-body`, { method: 'PUT' }), 401)
  await problemOf(await get('/v1/event-types', 'events:read:*'), 403)
})

test('two instances that are asked to change one type at once end with one whole entry, and topic and registry as it says', async () => {
  const type = 'catalog-race.placed'
  const body = (retentionMs: number) => ({ format: 'json', schema: object(id), retentionMs, partitions: 2 })
  const answers = await Promise.all([
    put(type, body(3_600_000)),
    put(type, body(7_200_000), { url: secondUrl }),
    put(type, body(10_800_000)),
    put(type, body(14_400_000), { url: secondUrl }),
  ])
  for (const answer of answers) expect([200, 201], await answer.text()).toContain(answer.status)
  await vi.waitFor(async () => expect(await entryAt(gatewayUrl, type)).toEqual(await entryAt(secondUrl, type)))
  const entry = await entryAt(gatewayUrl, type)
  expect(entry).toMatchObject({ type, version: 1, partitions: 2 })
  const retention = (await admin.topics([type])).get(type)?.config['retention.ms']
  expect(Number(retention)).toBe(entry?.retentionMs)
})

test('every change leaves a line in the audit log: who, what, before and after, the refused too', async () => {
  const type = 'catalog-audit.placed'
  logged.length = 0
  const body = { format: 'json', schema: object(id) }
  await entryOf(await put(type, body, { url: secondUrl }), 201)
  await entryOf(await put(type, { ...body, schema: object({ ...id, more: {} }) }, { url: secondUrl }), 200)
  await problemOf(await put(type, { ...body, partitions: 13 }, { url: secondUrl }), 422)
  await problemOf(await put(type, body, { url: secondUrl, scopes: ['catalog:read'] }), 403)
  const lines = logged.map((line) => z.looseObject({ audit: z.boolean().optional() }).parse(JSON.parse(line)))
  const [created, evolved, refused, forbidden] = lines.filter(({ audit }) => audit === true)
  expect(created).toMatchObject({
    subject: 'test',
    type,
    outcome: 'created',
    status: 201,
    after: { version: 1, topic: type },
  })
  expect(created).not.toHaveProperty('before')
  expect(evolved).toMatchObject({ outcome: 'evolved', before: { version: 1 }, after: { version: 2 } })
  expect(refused).toMatchObject({ outcome: 'refused', status: 422, before: { version: 2 } })
  expect(forbidden).toMatchObject({ outcome: 'refused', status: 403 })
  expect(logged.join()).not.toMatch(/eyJ|Bearer/)
})

test('the list has every type', async () => {
  const list = z
    .strictObject({ eventTypes: z.array(entryShape) })
    .parse(await (await get('/v1/event-types', 'catalog:read')).json())
  expect(list.eventTypes.map(({ type }) => type)).toContain('order.placed')
})
