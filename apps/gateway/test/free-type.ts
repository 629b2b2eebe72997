import type { CatalogEntry } from '@millrace/core/catalog'
import type { JsonPointer } from '@millrace/core/json'
import { valueSubject } from '@millrace/core/topic-name'
import { openAdmin } from '@millrace/kafka/admin'
import { putCatalogEntry } from '@millrace/kafka/catalog'
import { openProducer } from '@millrace/kafka/producer'
import { openRegistry } from '@millrace/schemas/registry'
import { stack } from '@millrace/testkit/fixture'
import { vi } from 'vitest'
import { get } from './api.ts'

const { connection, registryUrl, registryPassword, caPem } = stack()

/** Makes an event type whose data may be anything, with a topic of its own, and waits until the gateway has it. */
export async function makeFreeType(type: string, key: JsonPointer | null, partitions = 6): Promise<CatalogEntry> {
  const topic = `${type}-topic`
  const schema = { $schema: 'http://json-schema.org/draft-07/schema#', title: type }
  const admin = openAdmin(connection('admin'))
  const producer = openProducer(connection('admin'))
  const registry = openRegistry({ url: registryUrl, caPem, username: 'admin', password: registryPassword })
  try {
    await admin.createTopic({ name: topic, partitions, replication: 3, config: { 'min.insync.replicas': '2' } })
    const { id, version } = await registry.register(valueSubject(topic), 'JSON', JSON.stringify(schema))
    const entry: CatalogEntry = {
      type,
      format: 'json',
      topic,
      key,
      time: null,
      partitions,
      retentionMs: 86_400_000,
      compatibility: 'BACKWARD',
      schemaId: id,
      version,
      schema,
      references: [],
      sensitive: [],
    }
    await putCatalogEntry(producer, entry)
    await vi.waitUntil(async () => (await get(`/v1/event-types/${type}`, 'catalog:read')).ok, { timeout: 20_000 })
    return entry
  } finally {
    await Promise.all([admin.close(), producer.close(), registry.close()])
  }
}
