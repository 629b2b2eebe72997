import { randomUUID } from 'node:crypto'
import { stack } from '@millrace/testkit/fixture'
import { expect, test } from 'vitest'
import * as z from 'zod'
import { consume } from './reference.ts'

const { javaCommand, gatewayUrl, token, bootstrapServers, registryUrl, registryPassword, caFile, passwords } = stack()
const scramModule = 'org.apache.kafka.common.security.scram.ScramLoginModule'

const receipt = z.object({ topic: z.string(), partition: z.int(), offset: z.int(), schemaId: z.int() })
const properties = { name: { type: 'string' }, count: { type: 'integer' } }

const formats = [
  { format: 'json', schema: { type: 'object', properties, required: ['name'] } },
  {
    format: 'avro',
    schema: {
      type: 'record',
      name: 'Reading',
      fields: [
        { name: 'name', type: 'string' },
        { name: 'count', type: 'long' },
      ],
    },
  },
  { format: 'protobuf', schema: 'syntax = "proto3"; message Reading { string name = 1; int32 count = 2; }' },
] as const

async function call(method: string, path: string, contentType: string, body: unknown): Promise<unknown> {
  const answer = await fetch(`${gatewayUrl}${path}`, {
    method,
    headers: {
      authorization: `Bearer ${await token('catalog:write', 'events:write:*')}`,
      'content-type': contentType,
    },
    body: JSON.stringify(body),
  })
  const text = await answer.text()
  if (!answer.ok) throw new Error(`${answer.status} ${text}`)
  return JSON.parse(text)
}

test.each(formats)(
  "Kafka's client for Java, and the registry, decode what was posted in $format",
  async ({ format, schema }) => {
    const type = `reading.${format}.${randomUUID().slice(0, 8)}`
    await call('PUT', `/v1/event-types/${type}`, 'application/json', { format, schema, key: '/name', partitions: 3 })
    const data = { name: 'grün €', count: 3 }
    const event = { specversion: '1.0', id: type, source: '/independent', type, data }
    const { partition, offset, schemaId } = receipt.parse(
      await call('POST', '/v1/events', 'application/cloudevents+json', event),
    )
    const [record, ...others] = await consume(javaCommand, {
      settings: {
        'bootstrap.servers': bootstrapServers.join(','),
        'group.id': `independent-${type}`,
        'security.protocol': 'SASL_SSL',
        'ssl.truststore.type': 'PEM',
        'ssl.truststore.location': caFile,
        'sasl.mechanism': 'SCRAM-SHA-512',
        'sasl.jaas.config': `${scramModule} required username="admin" password="${passwords['admin'] ?? ''}";`,
      },
      registryUrl,
      authorization: `Basic ${Buffer.from(`admin:${registryPassword}`).toString('base64')}`,
      caFile,
      counts: { [type]: 1 },
      timeoutMs: 60_000,
    })
    expect(others).toEqual([])
    expect(record).toMatchObject({ topic: type, partition, offset, key: 'grün €', data })
    expect(record?.headers).toMatchObject({
      ce_id: type,
      ce_source: '/independent',
      ce_type: type,
      ce_specversion: '1.0',
    })
    expect(record?.headers['ce_dataschema']).toMatch(new RegExp(`/schemas/ids/${schemaId}$`))
    expect(record?.headers['content-type']).toBe(`application/${format}`)
    if (format !== 'json') expect(record?.schemaId).toBe(schemaId)
  },
)
