/** Names of event types as CloudEvents have them: through the API, the registry and Kafka. */
import { eventType } from '@millrace/core/event-type'
import { openAdmin } from '@millrace/kafka/admin'
import { planTopics } from '@millrace/reconcile/plan-topics'
import { openRegistry } from '@millrace/schemas/registry'
import { stack } from '@millrace/testkit/fixture'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { topicsOfType } from '@millrace/reconcile/desired-topics'
import { accepted, bearer, get, latestShape, post, problemOf } from './api.ts'

const { gatewayUrl, connection, registryUrl, registryPassword, caPem } = stack()
const admin = openAdmin(connection('admin'))
const registry = openRegistry({ url: registryUrl, caPem, username: 'admin', password: registryPassword })
afterAll(() => Promise.all([admin.close(), registry.close()]))

const schema = { $schema: 'http://json-schema.org/draft-07/schema#', type: 'object' }

async function put(type: string, topic?: string): Promise<Response> {
  return fetch(`${gatewayUrl}/v1/event-types/${encodeURIComponent(type)}`, {
    method: 'PUT',
    headers: { ...(await bearer('catalog:write')), 'content-type': 'application/json' },
    body: JSON.stringify({ format: 'json', schema, topic, partitions: 1 }),
  })
}

const types = ['com.example.OrderPlaced', 'com.example.orderplaced', 'com.example.Order-Placed', 'names_placed.v1']

beforeAll(async () => {
  for (const type of types) expect((await put(type)).status).toBe(201)
})

test.each(types)('%s is registered, written and read under its own name', async (type) => {
  expect((await put(type)).status).toBe(200)
  expect(await (await get(`/v1/event-types/${type}`, 'catalog:read')).json()).toMatchObject({ type, topic: type })
  expect(await registry.latest(`${type}-value`)).toMatchObject({ version: 1 })
  const event = { specversion: '1.0', source: '/names', type, data: { of: type } }
  expect(await accepted(event, { scopes: [`events:write:${type}`] })).toMatchObject({ topic: type, partition: 0 })
  for (const place of [`topic=${type}`, `type=${type}`]) {
    const answer = await get(`/v1/events/latest?${place}`, `events:read:${type}`)
    const { events } = latestShape.parse(await answer.json())
    expect(events.map(({ event: read }) => read)).toEqual([expect.objectContaining({ type, data: { of: type } })])
  }
  const failed = await get(`/v1/events/latest?topic=${type}.dlq`, `dlq:read:${type}`)
  expect(latestShape.parse(await failed.json()).events).toEqual([])
})

test('a scope is for the names that it spells, in their case', async () => {
  const event = { specversion: '1.0', source: '/names', type: 'com.example.OrderPlaced', data: {} }
  for (const pattern of ['com.example.orderplaced', 'com.example.order*', 'com_example*']) {
    await problemOf(await post(event, { scopes: [`events:write:${pattern}`] }), 403)
  }
  await accepted(event, { scopes: ['events:write:com.example.O*'] })
})

test('what Kafka would not tell from another topic is refused: 409, with the names of both', async () => {
  const subjects = await registry.subjects()
  for (const [type, topic, other] of [
    ['com_example.OrderPlaced', undefined, 'com.example.OrderPlaced'],
    ['names.placed', 'names_placed_v1', 'names_placed.v1'],
    ['names_placed.v1_dlq', undefined, 'names_placed.v1.dlq'],
  ]) {
    const { detail, errors } = await problemOf(await put(type ?? '', topic), 409)
    expect(detail).toContain(`"${topic ?? type}" differs from the topic "${other}"`)
    expect(errors).toEqual([{ pointer: '/topic', detail }])
    expect((await get(`/v1/event-types/${type}`, 'catalog:read')).status).toBe(404)
  }
  expect(await registry.subjects()).toEqual(subjects)
})

test('Kafka refuses them too, should another instance have been first', async () => {
  const [, topic] = topicsOfType(eventType('com.example_OrderPlaced', { schema }))
  if (!topic) throw new Error('a type has a topic')
  const unseen = { ...admin, topicNames: () => Promise.resolve([]) }
  const [creation] = await planTopics([topic], 3, unseen)
  const refused = creation?.apply()
  await expect(refused).rejects.toMatchObject({ code: 'kafka.refused' })
  await expect(refused).rejects.toThrow('com.example.OrderPlaced')
})

test('the documents have each of them', async () => {
  await vi.waitFor(async () => {
    const openApi = await (await get('/openapi.json', 'catalog:read')).json()
    for (const type of types) expect(openApi).toHaveProperty(['components', 'schemas', `data.${type}`])
  })
})
