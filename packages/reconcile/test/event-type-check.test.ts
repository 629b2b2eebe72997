import { type DeclaredType, eventType } from '@millrace/core/event-type'
import { catalogEntryOf } from '@millrace/core/catalog'
import { expect, test } from 'vitest'
import { isCatalogued, requireUsable } from '../src/event-type-check.ts'

const text = (bytes: number) => `syntax = "proto3"; message Money { int64 units = 1; } /* ${'x'.repeat(bytes)} */`
const schema = 'syntax = "proto3"; import "money.proto"; message Order { Money price = 1; string id = 2; }'
const reference = { name: 'money.proto', subject: 'money-value', version: 1 }
const references = [reference]
const order: DeclaredType = eventType('order.placed', { format: 'protobuf', schema, references, key: '/id' })

/** A registry that has one version of one subject. */
const registryWith = (kept: string | undefined, type: 'AVRO' | 'PROTOBUF' = 'PROTOBUF') => ({
  version: (subject: string) =>
    Promise.resolve(
      kept === undefined || subject !== 'money-value'
        ? undefined
        : { id: 1, version: 1, type, schema: kept, references: [] },
    ),
})

test('a schema that does not fit into the catalog with all that it refers to is refused before it is registered', async () => {
  const fields = [{ name: 'price', type: 'Money' }]
  const paid: DeclaredType = eventType('order.paid', {
    format: 'avro',
    schema: { type: 'record', name: 'Paid', fields },
    references: [{ ...reference, name: 'Money' }],
  })
  const money = (bytes: number) => JSON.stringify({ type: 'record', name: 'Money', fields: [], doc: 'x'.repeat(bytes) })
  await requireUsable(paid, [], registryWith(money(850_000), 'AVRO'))
  const refused = await requireUsable(paid, [], registryWith(money(900_000), 'AVRO')).catch((error: unknown) => error)
  expect(refused).toMatchObject({ kind: 'unusable', violations: [{ pointer: '/schema' }] })
  expect(String(refused)).toMatch(/order\.paid takes 900\d{3} bytes .*, and may take 900000/)
})

test.each([
  [{ ...order, key: '/nothing' as const }, '/key'],
  [{ ...order, sensitive: ['/id', '/nothing'] as const }, '/sensitive/1'],
  [{ ...order, schema: 'message {' }, '/schema'],
  [{ ...order, references: [{ ...reference, subject: 'nowhere' }] }, '/references'],
])('what is wrong with a type is named by its place: %#', async (type, pointer) => {
  await expect(requireUsable(type, [], registryWith(text(1)))).rejects.toMatchObject({
    kind: 'unusable',
    violations: [{ pointer }],
  })
})

test('a schema may refer to one that is declared with it', async () => {
  const money = eventType('money', { format: 'protobuf', schema: text(1) })
  await requireUsable(order, [money], registryWith(undefined))
  await expect(requireUsable(order, [], registryWith(undefined))).rejects.toMatchObject({ kind: 'unusable' })
})

test('what the catalog has was checked; what differs in anything was not', () => {
  const resolved = references.map((reference) => ({ ...reference, schema: text(1) }))
  const entry = catalogEntryOf(order, { id: 3, version: 2, references: resolved })
  expect(isCatalogued(order, entry)).toBe(true)
  expect(isCatalogued(order, undefined)).toBe(false)
  expect(isCatalogued({ ...order, schema: text(2) }, entry)).toBe(false)
  expect(isCatalogued({ ...order, references: [{ ...reference, version: 2 }] }, entry)).toBe(false)
})
