/** What is measured: the flights example's windows and their table in the warehouse, and a topic for the control. */
import { definePlatform } from '@millrace/core/platform'
import { sources } from '@millrace/example-flights/feeds'
import { auditor, departuresPerAirport, departuresTable, flightDeparted } from '@millrace/example-flights/platform'
import { flightDeparted as controlFlight } from '../processing/platform.ts'

/** One pipeline and one sink, whatever else the example defines; the feeds run beside the flights, 20 events/s each. */
export const measuredPlatform = definePlatform({
  events: [flightDeparted, ...sources.map(({ type }) => type), controlFlight],
  pipelines: [departuresPerAirport],
  sinks: [departuresTable],
  access: [auditor],
})
