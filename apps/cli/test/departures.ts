/** A definition with a pipeline that joins a table. */
import { count, max, sum } from '@millrace/core/aggregate'
import { eventType } from '@millrace/core/event-type'
import { pipeline } from '@millrace/core/pipeline'
import { definePlatform } from '@millrace/core/platform'
import { tumbling } from '@millrace/core/window'

const flightDeparted = eventType('flight.departed', {
  schema: {
    type: 'object',
    properties: {
      date: { type: 'string', format: 'date-time' },
      origin: { type: 'string' },
      distance: { type: 'number' },
      delay: { type: 'number' },
    },
    required: ['date', 'origin', 'distance', 'delay'],
  },
  time: '/date',
})

const airportListed = eventType('airport.listed', {
  schema: {
    type: 'object',
    properties: { iata: { type: 'string' }, state: { type: 'string' } },
    required: ['iata', 'state'],
  },
  key: '/iata',
  compacted: true,
})

const departuresPerState = pipeline('departures-per-state')
  .from(flightDeparted)
  .joinLatest(airportListed, { by: (flight) => flight.origin, take: (airport) => ({ state: airport.state }) })
  .window(tumbling('1 hour'))
  .watermark({ outOfOrderness: '5 minutes' })
  .groupBy((flight) => ({ state: flight.state }))
  .aggregate((flight) => ({ flights: count(), distance: sum(flight.distance), longestDelay: max(flight.delay) }))

export default definePlatform({ events: [flightDeparted, airportListed], pipelines: [departuresPerState] })
