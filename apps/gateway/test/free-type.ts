import type { CatalogEntry } from '@millrace/core/catalog'
import { type SchemaDocument, type SchemaFormat, schemaText } from '@millrace/core/event-type'
import type { JsonPointer } from '@millrace/core/json'
import { valueSubject } from '@millrace/core/topic-name'
import { openAdmin } from '@millrace/kafka/admin'
import { putCatalogEntry } from '@millrace/kafka/catalog'
import { openProducer } from '@millrace/kafka/producer'
import { openRegistry } from '@millrace/schemas/registry'
import { stack } from '@millrace/testkit/fixture'
import { vi } from 'vitest'
import * as z from 'zod'
import { bearer, get } from './api.ts'

const { connection, registryUrl, registryPassword, caPem } = stack()

/** Makes an event type whose data may be anything, with a topic of its own, and waits until the gateway has it. */
export function makeFreeType(type: string, key: JsonPointer | null, partitions = 6): Promise<CatalogEntry> {
  const schema = { $schema: 'http://json-schema.org/draft-07/schema#', title: type }
  return makeType(type, { format: 'json', schema, key, partitions })
}

export type TypeOptions = {
  readonly format: SchemaFormat
  readonly schema: SchemaDocument
  readonly key?: JsonPointer | null
  readonly time?: JsonPointer
  readonly partitions?: number
}

const schemaTypes = { json: 'JSON', avro: 'AVRO', protobuf: 'PROTOBUF' } as const

/** Makes an event type with a topic of its own, or another version of it, and waits until the gateway has it. */
export async function makeType(type: string, options: TypeOptions): Promise<CatalogEntry> {
  const { format, schema, key = null, time = null, partitions = 6 } = options
  const topic = `${type}-topic`
  const admin = openAdmin(connection('admin'))
  const producer = openProducer(connection('admin'))
  const registry = openRegistry({ url: registryUrl, caPem, username: 'admin', password: registryPassword })
  try {
    await admin.createTopic({ name: topic, partitions, replication: 3, config: { 'min.insync.replicas': '2' } })
    const { id, version } = await registry.register(valueSubject(topic), schemaTypes[format], schemaText(schema))
    const entry: CatalogEntry = {
      type,
      format,
      topic,
      key,
      time,
      partitions,
      retentionMs: 86_400_000,
      compacted: false,
      compatibility: 'BACKWARD',
      schemaId: id,
      version,
      schema,
      references: [],
      sensitive: [],
    }
    await putCatalogEntry(producer, entry)
    await vi.waitUntil(async () => (await schemaIdOf(type)) === id, { timeout: 20_000 })
    return entry
  } finally {
    await Promise.all([admin.close(), producer.close(), registry.close()])
  }
}

/** Waits until a gateway that is not the first has a type too. */
export async function knownAt(url: string, type: string): Promise<void> {
  const headers = await bearer('catalog:read')
  const isKnown = async () => (await fetch(`${url}/v1/event-types/${type}`, { headers })).ok
  await vi.waitUntil(isKnown, { timeout: 20_000 })
}

async function schemaIdOf(type: string): Promise<number | undefined> {
  const answer = await get(`/v1/event-types/${type}`, 'catalog:read')
  return answer.ok ? z.object({ schemaId: z.number() }).parse(await answer.json()).schemaId : undefined
}
