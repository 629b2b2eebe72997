import { schemaText } from '@millrace/core/event-type'
import type { CatalogEntry } from '@millrace/core/catalog'
import type { JsonObject } from '@millrace/core/json'
import { dialectOf } from '@millrace/schemas/json-schema-bounds'
import { eventData } from './event-data.ts'
import { examples } from './examples.ts'
import { provenanceProperties } from './provenance.ts'
import { relocated } from './relocated.ts'
import { sampleOf } from './sample.ts'
import { shapes } from './shapes.ts'

const version = '3.1.0'
/** The specification names draft-07 alone and allows others of one's own: named like it, so that nobody takes one for the other. */
const versions = { 'draft-07': 'draft-07', '2019-09': 'draft-2019-09', '2020-12': 'draft-2020-12' } as const

/** Beside the messages of event types, none of which has such a name. */
const frameKey = '_EventFrame'

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
    info: {
      title: 'Millrace',
      version: '1',
      description: 'The topics of the platform, on Kafka and as live streams of the API. /openapi.json has the routes.',
      license: { name: 'Apache-2.0' },
    },
    defaultContentType: 'application/json',
    servers: {
      kafka: {
        host: 'kafka',
        protocol: 'kafka-secure',
        description:
          'The brokers. Events are CloudEvents in binary mode; read them with isolation level read_committed.',
        security: [{ $ref: '#/components/securitySchemes/scram' }],
      },
      api: {
        host: 'api',
        protocol: 'wss',
        description: 'The API that this document is of.',
        security: [{ $ref: '#/components/securitySchemes/bearer' }],
      },
    },
    channels: Object.fromEntries(channels),
    operations: Object.fromEntries(operations),
    components: {
      messages: {
        ...Object.fromEntries(catalog.map((entry) => [entry.type, messageOf(entry)])),
        [frameKey]: frameMessage(),
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
  const [{ partitions, retentionMs, compacted } = { partitions: 1, retentionMs: 1, compacted: false }] = entries
  const messages = entries.map(({ type }): [string, JsonObject] => [type, { $ref: `#/components/messages/${type}` }])
  const topicConfiguration = compacted
    ? { 'cleanup.policy': ['compact'] }
    : { 'cleanup.policy': ['delete'], 'retention.ms': retentionMs }
  return [
    `kafka.${topic}`,
    {
      address: topic,
      description: `The topic on Kafka, of ${partitions} partitions.`,
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
      description: 'The live stream: catch-up from `from`, then what comes.',
      servers: [{ $ref: '#/servers/api' }],
      messages: { EventFrame: { $ref: `#/components/messages/${frameKey}` } },
      bindings: { ws: { method: 'GET', query: streamQuery, bindingVersion: '0.1.0' } },
    },
  ]
}

const streamQuery = {
  type: 'object',
  required: ['topic'],
  properties: {
    topic: { type: 'string' },
    from: { type: 'string', default: 'latest', description: 'A cursor, `latest`, `earliest`, or an RFC 3339 time.' },
    where: { type: 'array', items: { type: 'string' }, description: 'As in `/customer:ada`: what the data must have.' },
  },
  additionalProperties: { type: 'string', description: 'What the attribute of this name must be.' },
} as const satisfies JsonObject

function operation(action: 'send' | 'receive', topic: string, entries: readonly CatalogEntry[]): Named {
  const channel = `#/channels/kafka.${topic}`
  const messages = entries.map(({ type }) => ({ $ref: `${channel}/messages/${type}` }))
  const summary = action === 'send' ? `Write to ${topic}, by POST /v1/events.` : `Read ${topic} from Kafka.`
  return [`${action}.${topic}`, { action, summary, channel: { $ref: channel }, messages }]
}

function subscription(topic: string): Named {
  const channel = `#/channels/stream.${topic}`
  return [
    `subscribe.${topic}`,
    {
      action: 'receive',
      summary: `Follow ${topic} live.`,
      channel: { $ref: channel },
      messages: [{ $ref: `${channel}/messages/EventFrame` }],
    },
  ]
}

function messageOf(entry: CatalogEntry): JsonObject {
  return {
    name: entry.type,
    contentType: `application/${entry.format}`,
    title: `${entry.type}, version ${entry.version}`,
    headers: {
      type: 'object',
      required: ['ce_id', 'ce_source', 'ce_type', 'ce_specversion', 'ce_time', 'content-type'],
      properties: {
        ce_id: { type: 'string' },
        ce_source: { type: 'string' },
        ce_type: { const: entry.type },
        ce_specversion: { const: '1.0' },
        ce_time: { type: 'string', format: 'date-time' },
        ce_dataschema: { type: 'string', description: `Ends in /schemas/ids/<id>; at present ${entry.schemaId}.` },
        'content-type': { const: `application/${entry.format}` },
        traceparent: { type: 'string' },
        tracestate: { type: 'string' },
        ...(entry.pipeline && provenanceProperties(entry.pipeline)),
      },
    },
    payload: payloadOf(entry),
    // An example is JSON: on Kafka only that of a JSON type looks like it.
    ...(entry.format === 'json' && { examples: [{ name: 'made-up', payload: sampleOf(eventData(entry)) }] }),
    bindings: {
      kafka: {
        ...(entry.key !== null && { key: { type: 'string', description: `The data's ${entry.key}.` } }),
        ...(entry.format !== 'json' && { schemaIdLocation: 'payload', schemaIdPayloadEncoding: 'confluent' }),
        bindingVersion: '0.5.0',
      },
    },
  }
}

function payloadOf(entry: CatalogEntry): JsonObject {
  const { type, format, schema } = entry
  switch (format) {
    case 'json': {
      const shape = eventData(entry)
      return {
        schemaFormat: `application/schema+json;version=${versions[dialectOf(shape)]}`,
        schema: relocated(shape, `/components/messages/${type}/payload/schema`),
      }
    }
    case 'avro':
      return { schemaFormat: 'application/vnd.apache.avro+json;version=1.9.0', schema }
    case 'protobuf':
      return { schemaFormat: 'application/vnd.google.protobuf;version=3', schema: schemaText(schema) }
  }
}

function frameMessage(): JsonObject {
  return {
    name: 'EventFrame',
    title: 'A frame of a live stream',
    contentType: 'application/json',
    payload: { $ref: '#/components/schemas/EventFrame' },
    examples: [{ name: 'event', payload: examples['EventFrame'] ?? {} }],
  }
}
