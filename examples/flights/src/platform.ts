import { kafkaReader } from '@millrace/core/access'
import { average, count, sum } from '@millrace/core/aggregate'
import { eventType } from '@millrace/core/event-type'
import { pipeline, toTopic, tumbling } from '@millrace/core/pipeline'
import { definePlatform } from '@millrace/core/platform'
import { snowflake } from '@millrace/core/sink'
import { quakeRecorded } from './quakes.ts'
import { weatherObserved } from './weather.ts'

/** A flight as its airport reports it: on departure or, where it was delayed, that much later. */
export const flightDeparted = eventType('flight.departed', {
  schema: {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'flight.departed',
    type: 'object',
    additionalProperties: false,
    required: ['flight', 'date', 'origin', 'destination', 'distance', 'delay'],
    properties: {
      flight: { type: 'integer', minimum: 0, description: 'Row number in the dataset.' },
      date: { type: 'string', format: 'date-time', description: 'Departure; the dataset’s local time, read as UTC.' },
      origin: { type: 'string', minLength: 3, maxLength: 3, description: 'IATA code of the airport of departure.' },
      destination: { type: 'string', minLength: 3, maxLength: 3, description: 'IATA code of the airport of arrival.' },
      distance: { type: 'number', exclusiveMinimum: 0, description: 'Miles.' },
      delay: { type: 'number', description: 'Minutes of delay on arrival; negative when early.' },
    },
  },
  key: '/origin',
  time: '/date',
  partitions: 6,
})

export const departuresPerAirport = pipeline('departures-per-airport')
  .from(flightDeparted)
  .window(tumbling('1 hour'))
  .watermark({ outOfOrderness: '5 minutes' })
  .late(toTopic())
  .groupBy((flight) => ({ origin: flight.origin }))
  .aggregate((flight) => ({
    flights: count(),
    distance: sum(flight.distance),
    meanDelay: average(flight.delay),
  }))

export const departuresTable = snowflake({
  from: departuresPerAirport,
  database: 'FLIGHTS',
  schema: 'PUBLIC',
  table: 'DEPARTURES_PER_AIRPORT',
})

export const auditor = kafkaReader('auditor', {
  reads: [flightDeparted, quakeRecorded, weatherObserved, departuresPerAirport, departuresPerAirport.result],
})

export default definePlatform({
  events: [flightDeparted, quakeRecorded, weatherObserved],
  pipelines: [departuresPerAirport],
  sinks: [departuresTable],
  access: [auditor],
})
