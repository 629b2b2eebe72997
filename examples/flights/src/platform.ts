import { kafkaReader } from '@millrace/core/access'
import { average, count, sum } from '@millrace/core/aggregate'
import { eventType } from '@millrace/core/event-type'
import { deadLetter, drop, handler, ok, publish } from '@millrace/core/handler'
import { pipeline, toTopic } from '@millrace/core/pipeline'
import { tumbling } from '@millrace/core/window'
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

/** A strong earthquake, for whoever has to be told. */
const quakeAlerted = eventType('quake.alerted', {
  schema: {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'quake.alerted',
    type: 'object',
    additionalProperties: false,
    required: ['place', 'magnitude'],
    properties: { place: { type: 'string' }, magnitude: { type: 'number' } },
  },
  key: '/place',
  partitions: 3,
})

const strongMagnitude = 4.5

const alertStrongQuakes = handler('alert-strong-quakes', {
  from: quakeRecorded,
  to: [quakeAlerted],
  handle: ({ data: { place, magnitude } }) => {
    if (typeof place !== 'string' || typeof magnitude !== 'number') return deadLetter('it has no place or no magnitude')
    return magnitude < strongMagnitude ? drop('it is not strong') : ok(publish(quakeAlerted, { place, magnitude }))
  },
})

export const auditor = kafkaReader('auditor', {
  reads: [
    flightDeparted,
    quakeRecorded,
    weatherObserved,
    quakeAlerted,
    departuresPerAirport,
    departuresPerAirport.result,
  ],
})

export default definePlatform({
  events: [flightDeparted, quakeRecorded, weatherObserved, quakeAlerted],
  pipelines: [departuresPerAirport],
  handlers: [alertStrongQuakes],
  sinks: [departuresTable],
  access: [auditor],
})
