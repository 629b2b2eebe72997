import { partitionForKey } from '@millrace/core/partitioner'

import { compareReports, type Flight, type ReportPosition } from './flight.ts'

/** A span of report time, its flights by lane. A lane is a partition of the topic. */
export type Tick = {
  readonly startMs: number
  readonly flights: number
  readonly lanes: readonly (readonly Flight[])[]
}

/** Gives each flight the partition that Kafka's partitioner gives its key. The few hundred airports are remembered. */
export function laneChooser(lanes: number): (flight: Flight) => number {
  const laneOf = new Map<string, number>()
  return ({ origin }) => {
    const known = laneOf.get(origin)
    if (known !== undefined) return known
    const lane = partitionForKey(Buffer.from(origin, 'utf8'), lanes)
    laneOf.set(origin, lane)
    return lane
  }
}

/** Where a replay goes on: behind the lane that is furthest back. A lane without a position starts at the beginning. */
export function resumePosition(positions: readonly (ReportPosition | undefined)[]): ReportPosition | undefined {
  let earliest: ReportPosition | undefined
  for (const position of positions) {
    if (!position) return undefined
    if (!earliest || compareReports(position, earliest) < 0) earliest = position
  }
  return earliest
}

/**
 * Cuts flights in report order into ticks, leaving out what a lane has already sent.
 * Ticks are aligned to the epoch; empty ones are left out.
 */
export async function* ticksOf(
  slices: AsyncIterable<readonly Flight[]>,
  options: { readonly tickMs: number; readonly positions: readonly (ReportPosition | undefined)[] },
): AsyncGenerator<Tick> {
  const { tickMs, positions } = options
  const laneOf = laneChooser(positions.length)
  const empty = (): Flight[][] => positions.map(() => [])
  let startMs: number | undefined
  let lanes = empty()
  for await (const slice of slices) {
    for (const flight of slice) {
      const lane = laneOf(flight)
      const sent = positions[lane]
      if (sent && compareReports(flight, sent) <= 0) continue
      const tickStartMs = flight.reportedMs - (flight.reportedMs % tickMs)
      if (startMs !== undefined && tickStartMs !== startMs) {
        yield tick(startMs, lanes)
        lanes = empty()
      }
      startMs = tickStartMs
      lanes[lane]?.push(flight)
    }
  }
  if (startMs !== undefined) yield tick(startMs, lanes)
}

function tick(startMs: number, lanes: readonly (readonly Flight[])[]): Tick {
  return { startMs, lanes, flights: lanes.reduce((total, lane) => total + lane.length, 0) }
}
