import { eventType } from '@millrace/core/event-type'

/** An airport as it is now: a table, in which the newest event of a code counts. */
export const airportDescribed = eventType('airport.described', {
  schema: {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'airport.described',
    type: 'object',
    additionalProperties: false,
    required: ['iata', 'name', 'country', 'latitude', 'longitude'],
    properties: {
      iata: { type: 'string', minLength: 3, maxLength: 4, description: 'Its code, by which flights name it.' },
      name: { type: 'string' },
      city: { type: 'string' },
      state: { type: 'string', description: 'Of the United States, in two letters.' },
      country: { type: 'string' },
      latitude: { type: 'number', minimum: -90, maximum: 90 },
      longitude: { type: 'number', minimum: -180, maximum: 180 },
    },
  },
  key: '/iata',
  partitions: 3,
  compacted: true,
})
