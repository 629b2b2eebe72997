/** What came out of a run, held against what must come out. */
import { windowsOf } from '@millrace/core/window'
import * as z from 'zod'
import { type Flight, flights, isCompared } from './flights.ts'
import type { Work } from './platform.ts'

export type Aggregates = { readonly flights: number; readonly distance: number; readonly meanDelay: number }
/** By origin and start of the window. */
export type Results = ReadonlyMap<string, Aggregates>

/** Sums of the same numbers in another order differ that little. */
const relativeDifferenceMax = 1e-9
const toldMax = 5

const result = z.object({
  origin: z.string(),
  windowStart: z.iso.datetime(),
  windowEnd: z.iso.datetime(),
  flights: z.int(),
  distance: z.number(),
  meanDelay: z.number(),
})

/** What each of some works must come to, computed here from the events themselves. */
export function expectedResults(count: number, works: readonly Work[]): ReadonlyMap<string, Results> {
  const sums = works.map((work) => ({ work, byWindow: new Map<string, Sums>() }))
  for (const flight of flights(count)) {
    if (!isCompared(flight.origin)) continue
    for (const { work, byWindow } of sums) {
      for (const { startMs } of windowsOf(work.window, flight.atMs))
        add(flight, keyOf(flight.origin, startMs), byWindow)
    }
  }
  return new Map(sums.map(({ work, byWindow }) => [work.name, aggregatesOf(byWindow)]))
}

type Sums = { flights: number; distance: number; delay: number }

function add({ distance, delay }: Flight, key: string, byWindow: Map<string, Sums>): void {
  const sums = byWindow.get(key)
  if (!sums) {
    byWindow.set(key, { flights: 1, distance, delay })
    return
  }
  sums.flights += 1
  sums.distance += distance
  sums.delay += delay
}

function aggregatesOf(byWindow: ReadonlyMap<string, Sums>): Results {
  return new Map(
    [...byWindow].map(([key, { flights, distance, delay }]) => [
      key,
      { flights, distance, meanDelay: delay / flights },
    ]),
  )
}

function keyOf(origin: string, startMs: number): string {
  return `${origin} ${new Date(startMs).toISOString()}`
}

/** Results as they come, and what is wrong with them. */
export class Comparison {
  readonly #expected: Results
  readonly #sizeMs: number
  readonly #seen = new Set<string>()
  readonly #wrong: string[] = []

  constructor(expected: Results, { window }: Pick<Work, 'window'>) {
    this.#expected = expected
    this.#sizeMs = window.sizeMs
  }

  /** Takes the value of a record. */
  take(value: Buffer): void {
    const { origin, windowStart, windowEnd, ...aggregates } = result.parse(JSON.parse(value.toString()))
    if (!isCompared(origin)) return
    const startMs = Date.parse(windowStart)
    const key = keyOf(origin, startMs)
    const expected = this.#expected.get(key)
    if (this.#seen.has(key)) this.#wrong.push(`${key} has two results`)
    else if (!expected) this.#wrong.push(`${key} has a result and no flight`)
    else if (Date.parse(windowEnd) !== startMs + this.#sizeMs || !isSame(aggregates, expected)) {
      this.#wrong.push(`${key} is ${JSON.stringify(aggregates)} up to ${windowEnd}, not ${JSON.stringify(expected)}`)
    }
    this.#seen.add(key)
  }

  /** Whether results of that share of the windows are there, from 0 to 1, or something is wrong already. */
  has(share: number): boolean {
    return this.#seen.size >= share * this.#expected.size || this.#wrong.length > 0
  }

  /** The first few of what is wrong; none: all results are there, once, and the same. */
  get differences(): readonly string[] {
    const missing = this.#expected.size - this.#seen.size
    return [...this.#wrong, ...(missing > 0 ? [`${missing} results of ${this.#expected.size} are missing`] : [])].slice(
      0,
      toldMax,
    )
  }
}

function isSame(one: Aggregates, other: Aggregates): boolean {
  return one.flights === other.flights && isNear(one.distance, other.distance) && isNear(one.meanDelay, other.meanDelay)
}

/** Of what cancels out to nearly nothing no digit is sure, so a thousandth counts as nothing. */
function isNear(one: number, other: number): boolean {
  return Math.abs(one - other) <= relativeDifferenceMax * Math.max(Math.abs(one), Math.abs(other), 1e-3)
}
