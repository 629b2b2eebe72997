import { eventType } from '@millrace/core/event-type'
import type { JsonObject } from '@millrace/core/json'

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

/** One flight of the dataset. */
export type Flight = {
  /** Its row in the dataset, from 0: the event's id. */
  readonly row: number
  /** When it departed, in milliseconds since the epoch: the event time. */
  readonly departedMs: number
  /** When it is reported: at departure, or later by its delay. */
  readonly reportedMs: number
  readonly origin: string
  readonly destination: string
  readonly distance: number
  readonly delay: number
}

/** A place in report order: everything up to and including this flight. */
export type ReportPosition = { readonly reportedMs: number; readonly row: number }

export const flightSource = '/flights/2001'

/** Report order: by report time, ties by row. */
export function compareReports(left: ReportPosition, right: ReportPosition): number {
  return left.reportedMs - right.reportedMs || left.row - right.row
}

/** The data of the event, in the order in which its bytes are written. */
export function flightData(flight: Flight): JsonObject {
  return {
    flight: flight.row,
    date: rfc3339(flight.departedMs),
    origin: flight.origin,
    destination: flight.destination,
    distance: flight.distance,
    delay: flight.delay,
  }
}

/** A moment in UTC with no fraction of a second: the dataset counts in minutes. */
export function rfc3339(epochMs: number): string {
  return `${new Date(epochMs).toISOString().slice(0, 19)}Z`
}
