import { average, count, countDistinct, max, sum } from '@millrace/core/aggregate'
import type { Duration } from '@millrace/core/duration'
import { correct, type Pipeline, pipeline, toTopic } from '@millrace/core/pipeline'
import { session, sliding, tumbling } from '@millrace/core/window'
import { airportDescribed } from './airport.ts'
import { flightDeparted } from './flight.ts'

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

/**
 * How often the others commit: nobody waits for their results. Each commit is a transaction for every topic that a job writes, and five jobs that commit
 * every 400 milliseconds would starve a machine of two cores.
 */
const commitEvery: Duration = '2 seconds'

/** What comes to each airport in an hour, told every half hour. */
export const flightsPerDestination = pipeline('flights-per-destination', { commitEvery })
  .from(flightDeparted)
  .window(sliding('1 hour', { every: '30 minutes' }))
  .watermark({ outOfOrderness: '5 minutes' })
  .late(toTopic())
  .groupBy((flight) => ({ destination: flight.destination }))
  .aggregate((flight) => ({
    flights: count(),
    origins: countDistinct(flight.origin),
    longest: max(flight.distance),
  }))

/** The waves in which airports send their flights off: half an hour without a departure ends one. */
export const departureWaves = pipeline('departure-waves', { commitEvery })
  .from(flightDeparted)
  .window(session('30 minutes'))
  .watermark({ outOfOrderness: '5 minutes' })
  .late(toTopic())
  .groupBy((flight) => ({ origin: flight.origin }))
  .aggregate((flight) => ({ flights: count(), distance: sum(flight.distance) }))

/** How late the flights of an airport are. Those that are late are reported late: without them the mean would be too good, so it is revised. */
export const delayPerAirport = pipeline('delay-per-airport', { commitEvery })
  .from(flightDeparted)
  .window(tumbling('1 hour'))
  .watermark({ outOfOrderness: '5 minutes' })
  .late(correct({ within: '2 hours', beyond: toTopic() }))
  .groupBy((flight) => ({ origin: flight.origin }))
  .aggregate((flight) => ({ flights: count(), meanDelay: average(flight.delay), worstDelay: max(flight.delay) }))

/** Departures by the state that the airport is in. */
export const departuresPerState = pipeline('departures-per-state', { commitEvery })
  .from(flightDeparted)
  .joinLatest(airportDescribed, { by: (flight) => flight.origin, take: (airport) => ({ state: airport.state }) })
  .window(tumbling('1 hour'))
  .watermark({ outOfOrderness: '5 minutes' })
  .late(toTopic())
  .groupBy((flight) => ({ state: flight.state }))
  .aggregate((flight) => ({ flights: count(), distance: sum(flight.distance) }))

export const pipelines: readonly Pipeline[] = [
  departuresPerAirport,
  flightsPerDestination,
  departureWaves,
  delayPerAirport,
  departuresPerState,
]
