import { type EventType, eventType, type SchemaFormat } from '@millrace/core/event-type'
import { definePlatform } from '@millrace/core/platform'
import { jsonSchema, schemas } from './reading.ts'

/** Every subject writes to a topic of its own; all of them are alike. */
export const subjectNames = [
  'millrace',
  'millrace-avro',
  'millrace-protobuf',
  'benthos',
  'validating',
  'bare',
  'direct',
] as const
export type SubjectName = (typeof subjectNames)[number]

const { $schema, ...reading } = jsonSchema

/** The schema of the whole event, for whoever does not know of CloudEvents. */
export const envelopeSchema = {
  $schema,
  type: 'object',
  properties: {
    specversion: { type: 'string', enum: ['1.0'] },
    id: { type: 'string', minLength: 1 },
    source: { type: 'string', minLength: 1 },
    type: { type: 'string', minLength: 1 },
    time: { type: 'string', format: 'date-time' },
    data: reading,
  },
  required: ['specversion', 'id', 'source', 'type', 'data'],
} as const

export function topicOf(subject: SubjectName): string {
  return `bench.${subject}`
}

export function formatOf(subject: SubjectName): SchemaFormat {
  switch (subject) {
    case 'millrace-avro':
      return 'avro'
    case 'millrace-protobuf':
      return 'protobuf'
    default:
      return 'json'
  }
}

const partitions = 6

/** Kept for an hour: a run is over by then, and what it wrote is deleted with its folder. */
export const benchPlatform = definePlatform({
  events: subjectNames.map((subject): EventType => {
    const format = formatOf(subject)
    return eventType(topicOf(subject), {
      format,
      schema: schemas[format],
      key: '/sensor',
      time: '/at',
      partitions,
      retention: '1 hour',
    })
  }),
})
