/** What `apply` does to event types, beside what the API does to them: the same. */
import { type DeclaredType, eventType } from '@millrace/core/event-type'
import { openAdmin } from '@millrace/kafka/admin'
import { putCatalogEntry, readCatalog, withdrawCatalogEntry } from '@millrace/kafka/catalog'
import { openProducer } from '@millrace/kafka/producer'
import { applyChanges } from '@millrace/reconcile/change'
import type { Catalog } from '@millrace/reconcile/plan-catalog'
import { planEventTypes } from '@millrace/reconcile/plan-event-types'
import { openRegistry } from '@millrace/schemas/registry'
import { stack } from '@millrace/testkit/fixture'
import { afterAll, expect, test, vi } from 'vitest'
import { bearer, get } from './api.ts'

const { gatewayUrls, connection, registryUrl, registryPassword, caPem } = stack()
const admin = openAdmin(connection('admin'))
const producer = openProducer(connection('admin'))
const registry = openRegistry({ url: registryUrl, caPem, username: 'admin', password: registryPassword })
afterAll(() => Promise.all([admin.close(), producer.close(), registry.close()]))

const catalog: Catalog = {
  entries: () => readCatalog(connection('admin')),
  write: async (entry) => {
    await putCatalogEntry(producer, entry)
  },
  withdraw: async (type) => {
    await withdrawCatalogEntry(producer, type)
  },
}
const schema = { $schema: 'http://json-schema.org/draft-07/schema#', type: 'object' } as const
const record = { type: 'record', name: 'Order', fields: [{ name: 'id', type: 'string' }] } as const

async function put(type: string, members: Readonly<Record<string, unknown>> = {}, gateway = 0): Promise<number> {
  const answer = await fetch(`${gatewayUrls[gateway]}/v1/event-types/${type}`, {
    method: 'PUT',
    headers: { ...(await bearer('catalog:write')), 'content-type': 'application/json' },
    body: JSON.stringify({ format: 'json', schema, ...members }),
  })
  await answer.text()
  return answer.status
}

async function apply(type: DeclaredType, seen = catalog): Promise<void> {
  const world = { admin, registry, catalog: seen, replication: 3 }
  await applyChanges(await planEventTypes([type], world), () => undefined)
}

test('a definition does not take partitions back that the API has made', async () => {
  const type = 'catalog-apply.grown'
  expect(await put(type, { partitions: 2 })).toBe(201)
  expect(await put(type, { partitions: 4, repartition: true })).toBe(200)
  await vi.waitUntil(async () => (await admin.topics([type])).get(type)?.partitions === 4)
  await apply(eventType(type, { schema, partitions: 2, retention: '2 days' }))
  expect((await catalog.entries()).get(type)).toMatchObject({ partitions: 4, retentionMs: 2 * 86_400_000 })
})

test("a definition gets no topic of another type or of somebody else's, and no schema that cannot be used", async () => {
  expect(await put('catalog-apply.kept', { topic: 'catalog-apply.taken' })).toBe(201)
  await admin.createTopic({ name: 'catalog-apply.foreign', partitions: 1, replication: 3, config: {} })
  const wrong = { format: 'avro', schema: record, key: '/nothing' } as const
  const refused = [
    [eventType('catalog-apply.taken', { schema }), 'conflict', '/topic'],
    [eventType('catalog-apply.foreign', { schema }), 'conflict', '/topic'],
    [eventType('catalog-apply.kept', { schema }), 'conflict', '/topic'],
    [eventType('catalog-apply.nowhere', wrong), 'unusable', '/key'],
  ] as const
  const before = await registry.subjects()
  for (const [type, kind, pointer] of refused) {
    await expect(apply(type)).rejects.toMatchObject({ code: 'event-type.refused', kind, violations: [{ pointer }] })
  }
  expect(await registry.subjects()).toEqual(before)
})

test('whoever finds that another was first gives the topic up, and is in no catalog', async () => {
  const topic = 'catalog-apply.first'
  expect(await put(topic)).toBe(201)
  let reads = 0
  // As it was a moment before the other was written.
  const late: Catalog = { ...catalog, entries: async () => (reads++ === 0 ? new Map() : catalog.entries()) }
  const second = { ...eventType('catalog-apply.second', { schema }), topic }
  await expect(apply(second, late)).rejects.toMatchObject({ kind: 'conflict', violations: [{ pointer: '/topic' }] })
  expect((await catalog.entries()).has(second.name)).toBe(false)
  expect(await put(second.name)).toBe(201)
  expect((await get(`/v1/event-types/${second.name}`, 'catalog:read')).status).toBe(200)
})

test('of two new types that claim one topic on two instances at once, one gets it', async () => {
  for (let round = 0; round < 6; round++) {
    const topic = `catalog-apply.claimed-${round}`
    const names = [0, 1, 2].map((gateway) => `catalog-apply.claims-${round}-${gateway}`)
    const statuses = await Promise.all(names.map((name, gateway) => put(name, { topic }, gateway)))
    expect([...statuses].sort()).toEqual([201, 409, 409])
    const entries = await catalog.entries()
    const winner = names[statuses.indexOf(201)]
    expect(names.filter((name) => entries.has(name))).toEqual([winner])
  }
})
