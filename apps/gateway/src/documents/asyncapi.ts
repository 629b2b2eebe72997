import { schemaText } from '@millrace/core/event-type'
import type { CatalogEntry } from '@millrace/core/catalog'
import { isJsonObject, type JsonObject } from '@millrace/core/json'
import { relocated } from './relocated.ts'
import { shapes } from './shapes.ts'

const version = '3.1.0'
const schemaFormats = {
  avro: 'application/vnd.apache.avro+json;version=1.9.0',
  protobuf: 'application/vnd.google.protobuf;version=3',
} as const

/**
 * The AsyncAPI 3 document of the topics that the catalog has now: on Kafka, and as live streams of the API.
 * @see https://www.asyncapi.com/docs/reference/specification/v3.1.0
 */
export function asyncApiDocument(catalog: readonly CatalogEntry[]): JsonObject {
  const topics = Map.groupBy(catalog, ({ topic }) => topic)
  const channels = [...topics].flatMap(([topic, entries]) => [kafkaChannel(topic, entries), streamChannel(topic)])
  const operations = [...topics].flatMap(([topic, entries]) => [
    operation('send', topic, entries),
    operation('receive', topic, entries),
    subscription(topic),
  ])
  return {
    asyncapi: version,
    info: { title: 'Millrace', version: '1', license: { name: 'Apache-2.0' } },
    servers: {
      kafka: { host: 'kafka', protocol: 'kafka-secure', security: [{ $ref: '#/components/securitySchemes/scram' }] },
      api: { host: 'api', protocol: 'wss', security: [{ $ref: '#/components/securitySchemes/bearer' }] },
    },
    channels: Object.fromEntries(channels),
    operations: Object.fromEntries(operations),
    components: {
      messages: {
        ...Object.fromEntries(catalog.map((entry) => [entry.type, messageOf(entry)])),
        EventFrame: frameMessage(),
      },
      schemas: { CloudEvent: shapes.CloudEvent, EventFrame: shapes.EventFrame },
      securitySchemes: {
        scram: { type: 'scramSha512' },
        bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' },
      },
    },
  }
}

type Named = readonly [string, JsonObject]

function kafkaChannel(topic: string, entries: readonly CatalogEntry[]): Named {
  const [{ partitions, retentionMs } = { partitions: 1, retentionMs: 1 }] = entries
  const messages = entries.map(({ type }): [string, JsonObject] => [type, { $ref: `#/components/messages/${type}` }])
  const topicConfiguration = { 'cleanup.policy': ['delete'], 'retention.ms': retentionMs }
  return [
    `kafka.${topic}`,
    {
      address: topic,
      servers: [{ $ref: '#/servers/kafka' }],
      messages: Object.fromEntries(messages),
      bindings: { kafka: { topic, partitions, topicConfiguration, bindingVersion: '0.5.0' } },
    },
  ]
}

function streamChannel(topic: string): Named {
  return [
    `stream.${topic}`,
    {
      address: `/v1/events/stream?topic=${topic}`,
      servers: [{ $ref: '#/servers/api' }],
      messages: { EventFrame: { $ref: '#/components/messages/EventFrame' } },
      bindings: { ws: { method: 'GET', bindingVersion: '0.1.0' } },
    },
  ]
}

function operation(action: 'send' | 'receive', topic: string, entries: readonly CatalogEntry[]): Named {
  const channel = `#/channels/kafka.${topic}`
  const messages = entries.map(({ type }) => ({ $ref: `${channel}/messages/${type}` }))
  return [`${action}.${topic}`, { action, channel: { $ref: channel }, messages }]
}

function subscription(topic: string): Named {
  const channel = `#/channels/stream.${topic}`
  return [
    `subscribe.${topic}`,
    { action: 'receive', channel: { $ref: channel }, messages: [{ $ref: `${channel}/messages/EventFrame` }] },
  ]
}

function messageOf(entry: CatalogEntry): JsonObject {
  return {
    name: entry.type,
    contentType: `application/${entry.format}`,
    headers: {
      type: 'object',
      properties: { ce_id: { type: 'string' }, ce_source: { type: 'string' }, ce_type: { const: entry.type } },
    },
    payload: payloadOf(entry),
    bindings: {
      kafka: {
        ...(entry.key !== null && { key: { type: 'string', description: `The data's ${entry.key}.` } }),
        ...(entry.format !== 'json' && { schemaIdLocation: 'payload', schemaIdPayloadEncoding: 'confluent' }),
        bindingVersion: '0.5.0',
      },
    },
  }
}

function payloadOf({ type, format, schema }: CatalogEntry): JsonObject {
  if (format === 'json' && isJsonObject(schema)) {
    return {
      schemaFormat: 'application/schema+json;version=draft-07',
      schema: relocated(schema, `/components/messages/${type}/payload/schema`),
    }
  }
  const isAvro = format === 'avro'
  return { schemaFormat: schemaFormats[isAvro ? 'avro' : 'protobuf'], schema: isAvro ? schema : schemaText(schema) }
}

function frameMessage(): JsonObject {
  return { name: 'EventFrame', contentType: 'application/json', payload: { $ref: '#/components/schemas/EventFrame' } }
}
