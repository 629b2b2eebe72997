import { kafkaReader } from '@millrace/core/access'
import { eventType } from '@millrace/core/event-type'
import { deadLetter, drop, handler, ok, publish } from '@millrace/core/handler'
import type { Pipeline } from '@millrace/core/pipeline'
import { definePlatform, type Platform } from '@millrace/core/platform'
import { snowflake } from '@millrace/core/sink'
import { airportDescribed } from './airport.ts'
import { flightDeparted } from './flight.ts'
import { departuresPerAirport, pipelines } from './pipelines.ts'
import { quakeRecorded } from './quakes.ts'
import { weatherObserved } from './weather.ts'

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

/** What the verdict reads as. */
export const auditor = 'auditor'

/** The platform with some of the pipelines: what is loaded must be among them. */
export function platformWith(some: readonly Pipeline[]): Platform {
  const events = [flightDeparted, airportDescribed, quakeRecorded, weatherObserved, quakeAlerted]
  return definePlatform({
    events,
    pipelines: some,
    handlers: [alertStrongQuakes],
    sinks: [departuresTable],
    access: [kafkaReader(auditor, { reads: [...events, ...some, departuresPerAirport.result] })],
  })
}

export default platformWith(pipelines)
