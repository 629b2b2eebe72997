/** The pipelines of the main job over times so short that every row can be looked at, and what they make of a stream, by the evaluator. */
import { type Evaluation, evaluatePipeline } from '@millrace/core/evaluate'
import type { WindowResult } from '@millrace/core/evaluate-windows'
import type { Pipeline } from '@millrace/core/pipeline'
import { session, sliding, tumbling, windowsOf } from '@millrace/core/window'
import { airportDescribed } from '../src/airport.ts'
import { flightDeparted, flightSource } from '../src/flight.ts'
import {
  delayPerAirport,
  departuresPerAirport,
  departuresPerState,
  departureWaves,
  flightsPerDestination,
} from '../src/pipelines.ts'
import { type Judged, semanticsOf } from '../src/verdict/semantics.ts'

export const source = flightSource
const partitions = 2
const outOfOrdernessMs = 10_000

const small = (pipeline: Pipeline, changed: Partial<Pipeline> = {}): Pipeline => ({
  ...pipeline,
  window: tumbling('1 minute'),
  watermark: { ...pipeline.watermark, outOfOrdernessMs },
  // The verdict takes events whose delay is unknown, though no gateway would.
  from: {
    ...flightDeparted,
    partitions,
    fields: { ...flightDeparted.fields, delay: { type: 'number', nullable: true } },
  },
  ...changed,
})

export const smallPipelines: readonly Pipeline[] = [
  small(departuresPerAirport),
  small(flightsPerDestination, { window: sliding('1 minute', { every: '20 seconds' }) }),
  small(departureWaves, { window: session('20 seconds') }),
  small(delayPerAirport, { late: { kind: 'correct', withinMs: 60_000, beyond: { kind: 'to-topic' } } }),
  small(departuresPerState),
]

export const judged: Judged = {
  eventTopic: flightDeparted.topic,
  source,
  pipelines: smallPipelines.map(semanticsOf),
  loaded: departuresPerAirport.name,
  beganAgain: false,
}

export type AirportRow = { partition: number; offset: number; iata: string; state: string | null }

/** Where two of the airports are; one was somewhere else before, and of another the state is not known. */
export const airportsInTopic: readonly AirportRow[] = [
  { partition: 0, offset: 0, iata: 'AAA', state: 'CA' },
  { partition: 1, offset: 0, iata: 'BBB', state: null },
  { partition: 0, offset: 2, iata: 'AAA', state: 'WA' },
]

const tables = new Map([
  [
    airportDescribed.topic,
    new Map(
      airportsInTopic.map(({ iata, state }) => {
        const described = {
          iata,
          name: iata,
          country: 'USA',
          latitude: 0,
          longitude: 0,
          ...(state !== null && { state }),
        }
        return [iata, Buffer.from(JSON.stringify(described))] as const
      }),
    ),
  ],
])

/** An event as it is stored. Without a time it is malformed. */
export type StoredEvent = {
  readonly partition: number
  readonly offset: number
  readonly atMs: number | undefined
  readonly origin: string
  readonly destination: string
  readonly distance: number
  readonly delay: number | null
}

export type Output = {
  readonly evaluation: Evaluation
  /** Of each event, how many of its windows it missed. */
  readonly missed: readonly number[]
}

export function outputOf(pipeline: Pipeline, events: readonly StoredEvent[]): Output {
  const records = events.map(({ partition, offset, atMs, ...data }) => ({
    ...{ partition, offset, timestampMs: Date.UTC(2100, 0), headers: new Map<string, string>() },
    value: Buffer.from(
      atMs === undefined ? '{' : JSON.stringify({ ...data, flight: offset, date: new Date(atMs).toISOString() }),
    ),
  }))
  return { evaluation: evaluatePipeline(pipeline, partitions, records, tables), missed: missedBy(pipeline, events) }
}

function missedBy({ window, late }: Pipeline, events: readonly StoredEvent[]): number[] {
  const keptMs = late.kind === 'correct' ? late.withinMs : 0
  const greatestMs = new Map<number, number>()
  return events.map(({ partition, atMs }) => {
    if (atMs === undefined) return 0
    const watermarkMs = greatestMs.size < partitions ? -Infinity : Math.min(...greatestMs.values()) - outOfOrdernessMs
    greatestMs.set(partition, Math.max(greatestMs.get(partition) ?? -Infinity, atMs))
    return windowsOf(window, atMs).filter(({ endMs }) => endMs + keptMs - 1 <= watermarkMs).length
  })
}

export type ResultRow = {
  pipeline: string
  partition: number
  offset: number
  group_value: string | null
  window_start_ms: number
  window_end_ms: number
  revision: number
  counted: number
  late: number
  flights: number
  distance: number | null
  mean_delay: number | null
  worst_delay: number | null
  origins: number | null
  longest: number | null
}

export function resultRow(pipeline: string, result: WindowResult, index: number): ResultRow {
  const { windowStartMs, windowEndMs, groups, aggregates, provenance } = result
  const [group] = groups.values()
  const value = (name: string): number | null => {
    const found = aggregates.get(name) ?? null
    return found === null ? null : Number(found)
  }
  return {
    pipeline,
    // Every second offset is a transaction's marker, which readers of committed records never see.
    partition: index % 2,
    offset: index - (index % 2),
    group_value: typeof group === 'string' ? group : null,
    window_start_ms: windowStartMs,
    window_end_ms: windowEndMs,
    ...{ revision: provenance.revision, counted: provenance.events, late: provenance.late },
    flights: value('flights') ?? 0,
    distance: value('distance'),
    mean_delay: value('meanDelay'),
    worst_delay: value('worstDelay'),
    origins: value('origins'),
    longest: value('longest'),
  }
}
