/** The events of a run, made up from a seed: the same ones each time. */
import { seededRandom } from '@millrace/core/random'
import { flightDeparted } from './platform.ts'

export type Flight = {
  readonly flight: number
  readonly atMs: number
  readonly origin: string
  readonly destination: string
  readonly distance: number
  readonly delay: number
  /** Where it must go, whatever its key; absent: where its key says. */
  readonly partition?: number
}

const seed = 20_011_207
const beginMs = Date.parse('2026-01-05T00:00:00Z')
const hourMs = 3_600_000
/** As many departures in an hour as a whole country has in a few: windows close often, as they do not at real speed. */
const eventsPerHour = 4_000
const airportsCount = 300
/** How many come after others that are later than they are, and by how much at most: less than pipelines wait. */
const disorderedShare = 0.25
const disorderMsMax = 290_000
/** How many come when all windows of theirs have closed. They have origins of their own. */
const lateShare = 0.001
const lateMs = { min: 6 * hourMs, max: 30 * hourMs } as const
const lateOrigins = 10
/** From the last event to the one that closes all windows before it. */
const closingMs = 48 * hourMs

const airports = Array.from({ length: airportsCount }, (_, index) => airportOf(index))

/** `count` flights in the order in which they are stored, and one more for each partition, by which event time passes all windows of the others. */
export function* flights(count: number): Generator<Flight> {
  const random = seededRandom(seed)
  const upTo = (bound: number) => Math.floor(random() * bound)
  let nowMs = beginMs
  for (let flight = 0; flight < count; flight += 1) {
    nowMs = beginMs + Math.floor((flight * hourMs) / eventsPerHour)
    const isLate = random() < lateShare
    const isDisordered = random() < disorderedShare
    const behindMs = isLate ? lateMs.min + upTo(lateMs.max - lateMs.min) : isDisordered ? upTo(disorderMsMax) : 0
    yield {
      flight,
      atMs: nowMs - behindMs,
      // Few airports have most of the flights.
      origin: isLate ? `LT${upTo(lateOrigins)}` : airportAt(random() ** 2),
      destination: airportAt(random()),
      distance: 50 + upTo(27_000) / 10,
      delay: upTo(2_400) / 10 - 30,
    }
  }
  for (let partition = 0; partition < flightDeparted.partitions; partition += 1) {
    const atMs = nowMs + closingMs
    yield { flight: count + partition, atMs, origin: 'END', destination: 'END', distance: 1, delay: 0, partition }
  }
}

/**
 * Whether both sides must have the same results for an origin. Of late events they need not: Kafka Streams knows the time of each partition, Flink
 * that of all, and which of them is how far when depends on how they read.
 */
export function isCompared(origin: string): boolean {
  return known.has(origin)
}

const known: ReadonlySet<string> = new Set(airports)

function airportOf(index: number): string {
  const letter = (digit: number) => String.fromCharCode('A'.charCodeAt(0) + digit)
  // Never beginning with an L or an E: those stand for something else.
  return `${letter(12 + Math.floor(index / 26))}${letter(index % 26)}${letter((index * 7) % 26)}`
}

/** @param share from 0 up to 1 */
function airportAt(share: number): string {
  return airports[Math.floor(share * airports.length)] ?? ''
}
