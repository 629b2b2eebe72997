/** Three gateways of one platform: whatever one can, all can. */
import type { CatalogEntry } from '@millrace/core/catalog'
import { valueSubject } from '@millrace/core/topic-name'
import { openAdmin } from '@millrace/kafka/admin'
import { putCatalogEntry } from '@millrace/kafka/catalog'
import { openProducer } from '@millrace/kafka/producer'
import { openRegistry } from '@millrace/schemas/registry'
import { openBalancer } from '@millrace/testkit/balancer'
import { stack } from '@millrace/testkit/fixture'
import { pidOf, restartServer } from '@millrace/testkit/servers'
import { expect, onTestFinished, test, vi } from 'vitest'
import * as z from 'zod'

const { gatewayUrls, stateDirectory, connection, token, registryUrl, registryPassword, caPem } = stack()

const schema = { $schema: 'http://json-schema.org/draft-07/schema#', type: 'object' }
const receiptShape = z.object({ partition: z.int(), offset: z.int() })

/** A new type with everything that it stands on, short of telling the gateways. */
async function prepareType(type: string): Promise<CatalogEntry> {
  const admin = openAdmin(connection('admin'))
  const registry = openRegistry({ url: registryUrl, caPem, username: 'admin', password: registryPassword })
  try {
    await admin.createTopic({ name: type, partitions: 3, replication: 3, config: { 'min.insync.replicas': '2' } })
    const { id, version } = await registry.register(valueSubject(type), 'JSON', JSON.stringify(schema))
    const made = { schemaId: id, version, schema, references: [], sensitive: [] }
    const topic = { topic: type, key: null, time: null, partitions: 3, retentionMs: 86_400_000, compacted: false }
    return { type, format: 'json', compatibility: 'BACKWARD', ...topic, ...made }
  } finally {
    await Promise.all([admin.close(), registry.close()])
  }
}

async function announce(entry: CatalogEntry): Promise<void> {
  const producer = openProducer(connection('admin'))
  try {
    await putCatalogEntry(producer, entry)
  } finally {
    await producer.close()
  }
}

async function post(url: string, type: string, id: string): Promise<{ status: number; body: unknown }> {
  const authorization = `Bearer ${await token('events:write:*')}`
  const answer = await fetch(`${url}/v1/events`, {
    method: 'POST',
    headers: { authorization, 'content-type': 'application/cloudevents+json' },
    body: JSON.stringify({ specversion: '1.0', source: `/gateways/${type}`, id, type, data: { id } }),
  })
  return { status: answer.status, body: await answer.json() }
}

async function madeEverywhere(type: string): Promise<void> {
  await announce(await prepareType(type))
  await usableEverywhere(type)
}

/** How long after now the first event was sent that an instance took; of all instances the latest. */
async function usableEverywhere(type: string): Promise<number> {
  const sinceMs = performance.now()
  const firstTaken = (url: string, index: number) =>
    vi.waitUntil(
      async () => {
        const sentMs = performance.now()
        return (await post(url, type, `first at ${index}`)).status === 201 ? { afterMs: sentMs - sinceMs } : undefined
      },
      { timeout: 60_000, interval: 20 },
    )
  const taken = await Promise.all(gatewayUrls.map(firstTaken))
  return Math.max(...taken.map(({ afterMs }) => afterMs))
}

test('a new type is usable at every instance within a second', async () => {
  const entry = await prepareType('gateways.new')
  for (const url of gatewayUrls) expect((await post(url, entry.type, 'too early')).status).toBe(404)
  await announce(entry)
  expect(await usableEverywhere(entry.type)).toBeLessThan(1_000)
})

test('an instance that starts while the registry does not answer serves the types that are known', async () => {
  await madeEverywhere('gateways.outage')
  const registry = await pidOf(stateDirectory, 'registry')
  onTestFinished(() => void process.kill(registry, 'SIGCONT'))
  process.kill(registry, 'SIGSTOP')
  await restartServer(stateDirectory, 'gateway-3', 'SIGKILL')
  const answer = await post(gatewayUrls[2] ?? '', 'gateways.outage', 'after the restart')
  expect(answer.status).toBe(201)
  receiptShape.parse(answer.body)
})

test('behind a plain balancer no request fails and none is stored twice when one of three instances is told to stop', async () => {
  await madeEverywhere('gateways.drain')
  const balancer = await openBalancer(gatewayUrls.map((url) => Number(new URL(url).port)))
  onTestFinished(balancer.close)
  const before = await storedIn('gateways.drain')
  const failures: unknown[] = []
  let [acknowledged, number] = [0, 0]
  let over = false
  const produce = async (): Promise<void> => {
    while (!over) {
      try {
        const { status } = await post(balancer.url, 'gateways.drain', `e${number++}`)
        if (status === 201) acknowledged += 1
        else failures.push(status)
      } catch (error) {
        failures.push(error)
      }
    }
  }
  const producers = Array.from({ length: 12 }, produce)
  await vi.waitUntil(() => acknowledged > 100, { timeout: 30_000 })
  await restartServer(stateDirectory, 'gateway-2', 'SIGTERM')
  const soFar = acknowledged
  await vi.waitUntil(() => acknowledged > soFar + 100, { timeout: 30_000 })
  over = true
  await Promise.all(producers)
  expect(failures).toEqual([])
  expect((await storedIn('gateways.drain')) - before).toBe(acknowledged)
})

async function storedIn(topic: string): Promise<number> {
  const admin = openAdmin(connection('admin'))
  try {
    const [starts, ends] = await Promise.all([admin.startOffsets(topic), admin.endOffsets(topic)])
    return [...ends].reduce((sum, [partition, end]) => sum + Number(end - (starts.get(partition) ?? 0n)), 0)
  } finally {
    await admin.close()
  }
}
