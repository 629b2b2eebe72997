import type { Compatibility, SchemaReference } from '@millrace/core/event-type'
import { stack } from '@millrace/testkit/fixture'
import { afterAll, expect, test } from 'vitest'
import { IncompatibleSchemaError } from '../src/registry-answer.ts'
import { openRegistry, type SchemaType } from '../src/registry.ts'

const { registryUrl, registryPassword, caPem } = stack()
const registry = openRegistry({ url: registryUrl, caPem, username: 'admin', password: registryPassword })
afterAll(registry.close)

const proto = (body: string) => `syntax = "proto3"; package shop; ${body}`
const record = (name: string, ...fields: readonly unknown[]) =>
  JSON.stringify({ type: 'record', name, namespace: 'shop', fields })

/** A schema that others refer to, one that refers to it, and one that may follow and one that may not. */
type Case = {
  readonly type: SchemaType
  readonly shared: string
  readonly name: string
  readonly first: string
  readonly good: string
  readonly bad: string
  readonly badPath: string
}

const price = { name: 'price', type: 'shop.Money' }
const orderOf = (properties: object, required: readonly string[] = []) =>
  JSON.stringify({
    type: 'object',
    additionalProperties: false,
    properties: { price: { $ref: 'https://shop/money.json' }, ...properties },
    required,
  })
const cases: readonly Case[] = [
  {
    type: 'AVRO',
    shared: record('Money', { name: 'units', type: 'long' }),
    name: 'shop.Money',
    first: record('Order', price),
    good: record('Order', price, { name: 'note', type: 'string', default: '' }),
    bad: record('Order', price, { name: 'note', type: 'string' }),
    badPath: '/fields/1',
  },
  {
    type: 'PROTOBUF',
    shared: proto('message Money { int64 units = 1; }'),
    name: 'money.proto',
    first: proto('import "money.proto"; import "google/protobuf/timestamp.proto"; message Order { Money price = 1; }'),
    good: proto('import "money.proto"; message Order { Money price = 1; string note = 2; }'),
    bad: proto('import "money.proto"; message Order { string price = 1; }'),
    badPath: '/Order',
  },
  {
    type: 'JSON',
    shared: JSON.stringify({
      $id: 'https://shop/money.json',
      type: 'object',
      properties: { units: { type: 'integer' } },
    }),
    name: 'https://shop/money.json',
    first: orderOf({ note: { type: 'string' } }),
    good: orderOf({ note: { type: 'string' }, more: {} }),
    bad: orderOf({ note: { type: 'string' } }, ['note']),
    badPath: '/required',
  },
]

const backward: Compatibility = 'BACKWARD'

test.each(cases)('a schema in $type is registered with its references, and found by all it is known by', async (c) => {
  const [sharedSubject, subject] = [`registry-${c.type}-money`, `registry-${c.type}-order`]
  const shared = await registry.register(sharedSubject, c.type, c.shared)
  const references: SchemaReference[] = [{ name: c.name, subject: sharedSubject, version: shared.version }]
  await registry.setCompatibility(backward, subject)
  const first = await registry.register(subject, c.type, c.first, references)

  expect(first).toMatchObject({ version: 1, type: c.type, schema: c.first, references })
  expect(await registry.register(subject, c.type, c.first, references)).toEqual(first)
  expect(await registry.lookUp(subject, c.type, c.first, references)).toEqual(first)
  expect(await registry.lookUp(subject, c.type, c.first)).toBeUndefined()
  expect(await registry.version(subject, 1)).toEqual(first)
  expect(await registry.latest(subject)).toEqual(first)
  expect(await registry.byId(first.id)).toEqual({ type: c.type, schema: c.first, references })
  expect(await registry.subjectsOf(first.id)).toEqual([subject])

  const refusal: unknown = await registry.register(subject, c.type, c.bad, references).catch((error: unknown) => error)
  const paths = refusal instanceof IncompatibleSchemaError ? refusal.incompatibilities.map(({ path }) => path) : []
  expect(paths).toContain(c.badPath)
  expect(await registry.register(subject, c.type, c.good, references)).toMatchObject({ version: 2, references })
  const unknown = [{ name: c.name, subject: sharedSubject, version: 99 }]
  await expect(registry.register(subject, c.type, c.good, unknown)).rejects.toMatchObject({ code: 'registry.refused' })
})

test.each(cases)('whether a schema in $type may follow is told before it does', async ({ type, shared }) => {
  const subject = `registry-${type}-compatible`
  const changed = shared.replace(/"long"|int64|"integer"/, type === 'PROTOBUF' ? 'string' : '"string"')
  await registry.setCompatibility(backward, subject)
  expect(await registry.compatible(subject, type, changed)).toEqual([])
  await registry.register(subject, type, shared)
  expect(await registry.compatible(subject, type, shared)).toEqual([])
  expect(await registry.compatible(subject, type, changed)).not.toEqual([])
})

test('what is not there is undefined, or nothing', async () => {
  expect(await registry.byId(1_000_000)).toBeUndefined()
  expect(await registry.subjectsOf(1_000_000)).toEqual([])
  expect(await registry.version('registry-unheard-of', 1)).toBeUndefined()
  expect(await registry.latest('registry-unheard-of')).toBeUndefined()
  expect(await registry.compatibility('registry-unheard-of')).toBeUndefined()
})

test('what is not a schema is refused, and a registry that does not answer is not available', async () => {
  await expect(registry.register('registry-bad', 'PROTOBUF', 'message {')).rejects.toMatchObject({
    code: 'registry.refused',
    retryable: false,
  })
  const wrong = new URL(registryUrl)
  wrong.port = '1'
  const absent = openRegistry({ url: wrong.href, caPem, username: 'admin', password: registryPassword })
  await expect(absent.byId(1)).rejects.toMatchObject({ code: 'registry.unavailable', retryable: true })
  await absent.close()
})
