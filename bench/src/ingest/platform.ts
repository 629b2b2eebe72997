import { eventType } from '@millrace/core/event-type'
import { definePlatform } from '@millrace/core/platform'

/** Every subject writes to a topic of its own; all of them are alike. */
export const subjectNames = ['millrace', 'benthos', 'validating', 'bare', 'direct'] as const
export type SubjectName = (typeof subjectNames)[number]

const readingSchema = {
  $schema: 'http://json-schema.org/draft-07/schema#',
  type: 'object',
  additionalProperties: false,
  properties: {
    sensor: { type: 'string', pattern: '^sensor-[0-9]{4}$' },
    at: { type: 'string', format: 'date-time' },
    temperature: { type: 'number', minimum: -90, maximum: 60 },
    humidity: { type: 'integer', minimum: 0, maximum: 100 },
    status: { type: 'string', enum: ['ok', 'degraded', 'offline'] },
    firmware: { type: 'string', minLength: 1, maxLength: 20 },
    battery: { type: 'number', minimum: 0, maximum: 1 },
    location: {
      type: 'object',
      additionalProperties: false,
      properties: { latitude: { type: 'number' }, longitude: { type: 'number' }, site: { type: 'string' } },
      required: ['latitude', 'longitude'],
    },
    tags: { type: 'array', maxItems: 10, items: { type: 'string' } },
  },
  required: ['sensor', 'at', 'temperature', 'status', 'location'],
} as const

const { $schema, ...reading } = readingSchema

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

const partitions = 6

/** Kept for an hour: a run is over by then, and what it wrote is deleted with its folder. */
export const benchPlatform = definePlatform({
  events: subjectNames.map((subject) =>
    eventType(topicOf(subject), {
      schema: readingSchema,
      key: '/sensor',
      time: '/at',
      partitions,
      retention: '1 hour',
    }),
  ),
})
