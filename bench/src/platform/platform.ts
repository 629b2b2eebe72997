/** What is measured: the flights example's tumbling windows and their table in the warehouse, and a topic for the control. */
import { kafkaReader } from '@millrace/core/access'
import { definePlatform } from '@millrace/core/platform'
import { sources } from '@millrace/example-flights/feeds'
import { flightDeparted } from '@millrace/example-flights/flight'
import { departuresPerAirport } from '@millrace/example-flights/pipelines'
import { auditor, departuresTable } from '@millrace/example-flights/platform'
import { flightDeparted as controlFlight } from '../processing/platform.ts'

const events = [flightDeparted, ...sources.map(({ type }) => type)]

/** One pipeline and one sink, whatever else the example defines; the feeds run beside the flights, 20 events/s each. */
export const measuredPlatform = definePlatform({
  events: [...events, controlFlight],
  pipelines: [departuresPerAirport],
  sinks: [departuresTable],
  access: [kafkaReader(auditor, { reads: [...events, departuresPerAirport] })],
})
