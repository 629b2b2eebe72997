import type { JsonObject } from '@millrace/core/json'

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
