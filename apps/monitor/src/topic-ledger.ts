/** One topic's part of the accounting: what is stored in it, against what its readers say. It reads and writes nothing itself. */
import type { Account } from '@millrace/core/account'
import { addTo, type LedgerCounts, type LedgerOutcome, ledgerOutcomes, type LedgerReader } from '@millrace/core/ledger'
import * as z from 'zod'
import { type IndexState, PartitionIndex } from './partition-index.ts'

/** Where a reader is in a partition, by what it told. */
const place = z.object({
  from: z.int().describe('the first offset that it told of, or was to tell of'),
  before: z.int().nullable().describe('how many records there are before that; null as long as it is not known'),
  through: z.int(),
  beyond: z.int(),
  counted: z.int().describe('how many events it told of'),
})
type Place = z.output<typeof place>

/** Up to where a sink has loaded a partition, and how many records that are. */
const loadedPlace = z.object({ through: z.int(), count: z.int() })
type Loaded = z.output<typeof loadedPlace>

const byName = <T extends z.ZodType>(of: T) => z.record(z.string(), of)
const counts = z.partialRecord(z.enum(ledgerOutcomes), z.int())

/** What is kept of a topic to go on with. */
export const topicState = z.object({
  accepted: z.int(),
  partitions: byName(z.object({ start: z.int(), next: z.int(), count: z.int() })),
  places: byName(byName(place)),
  loaded: byName(byName(loadedPlace)),
  counts: byName(counts),
})
export type TopicState = z.output<typeof topicState>

/** Told of each count: of what is stored, or of what somebody did with it. */
export type OnCount = (
  minute: string,
  events: number,
  by?: { readonly reader: string; readonly outcome: LedgerOutcome },
) => void

const nothingYet: IndexState = { start: 0, next: 0, count: 0 }

export class TopicLedger {
  readonly #onCount: OnCount
  readonly #partitions: Map<number, PartitionIndex>
  readonly #places: Map<string, Map<number, Place>>
  readonly #loaded: Map<string, Map<number, Loaded>>
  readonly #counts: Map<string, LedgerCounts>
  #accepted: number

  constructor(onCount: OnCount, state?: TopicState) {
    const { accepted = 0, partitions = {}, places = {}, loaded = {}, counts = {} } = state ?? {}
    this.#onCount = onCount
    this.#accepted = accepted
    this.#partitions = new Map(
      [...byNumber(partitions)].map(([partition, index]) => [partition, new PartitionIndex(index)]),
    )
    this.#places = new Map(Object.entries(places).map(([reader, of]) => [reader, byNumber(of)]))
    this.#loaded = new Map(Object.entries(loaded).map(([sink, of]) => [sink, byNumber(of)]))
    this.#counts = new Map(Object.entries(counts).map(([reader, of]) => [reader, { ...of }]))
  }

  get accepted(): number {
    return this.#accepted
  }

  /** From where on the topic is to be read; empty for its beginning. */
  get positions(): ReadonlyMap<number, bigint> {
    return new Map([...this.#partitions].map(([partition, { next }]) => [partition, BigInt(next)]))
  }

  get state(): TopicState {
    const each = <T, U>(map: ReadonlyMap<string | number, T>, state: (of: T) => U): Record<string, U> =>
      Object.fromEntries([...map].map(([name, of]) => [name, state(of)]))
    return {
      accepted: this.#accepted,
      partitions: each(this.#partitions, (index) => index.state),
      places: each(this.#places, (of) => each(of, (place) => place)),
      loaded: each(this.#loaded, (of) => each(of, (loaded) => loaded)),
      counts: each(this.#counts, (counts) => ({ ...counts })),
    }
  }

  stored(partition: number, offset: number, minute: string): void {
    if (!this.#indexOf(partition).append(offset, minute)) return
    this.#accepted += 1
    this.#onCount(minute, 1)
  }

  /** There is nothing more in the partition before this offset. */
  reached(partition: number, offset: number): void {
    this.#indexOf(partition).reach(offset)
  }

  /** What a reader says of itself. Its accounts of a partition come in any order of their offsets. */
  account({ reader, partition, from, through, beyond, counts }: Account): void {
    const places = this.#places.getOrInsertComputed(reader, () => new Map())
    const first = Math.min(from, through)
    const place = places.get(partition) ?? { from: first, before: null, through, beyond, counted: 0 }
    places.set(partition, {
      ...(first < place.from ? { from: first, before: null } : { from: place.from, before: place.before }),
      ...(through < place.through ? { through: place.through, beyond: place.beyond } : { through, beyond }),
      counted: place.counted + counts.reduce((sum, { events }) => sum + events, 0),
    })
    for (const { minute, outcome, events } of counts) this.#count(reader, minute, outcome, events)
  }

  /** A sink, which says nothing of single events, has loaded everything before an offset. */
  loaded(sink: string, partition: number, offset: number): void {
    const index = this.#indexOf(partition)
    const through = Math.min(offset, index.next)
    const loaded = this.#loaded.getOrInsertComputed(sink, () => new Map())
    const former = loaded.get(partition) ?? { through: 0, count: 0 }
    const count = index.countBefore(through)
    if (through <= former.through || count === undefined) return
    loaded.set(partition, { through, count })
    const minutes = index.minutesBetween(former.through, through)
    for (const minute of minutes) this.#count(sink, minute, 'loaded', 1)
    // Of those that it was too far behind for, the minutes are not known any more.
    addTo(this.#counts.getOrInsert(sink, {}), 'loaded', count - former.count - minutes.length)
  }

  /** A dead letter of somebody that does not tell of it itself: the gateway, which has not stored it, or a sink, which has passed it. */
  deadLettered(by: string, minute: string): void {
    this.#count(by, minute, 'dead-lettered', 1)
    if (by !== gatewayReader) this.#count(by, minute, 'loaded', -1)
  }

  /** What is known of each that had something of the topic. */
  readers(): Map<string, LedgerReader> {
    this.#settle()
    const told = [...this.#places.keys()].map((reader): [string, LedgerReader] => [reader, this.#readerOf(reader)])
    const sinks = [...this.#loaded].map(([sink, loaded]): [string, LedgerReader] => {
      const inFlight = this.#sum((partition, index) => index.count - (loaded.get(partition)?.count ?? 0))
      return [sink, { counts: this.#countsOf(sink), inFlight, unaccounted: null }]
    })
    const others = [...this.#counts.keys()].map((name): [string, LedgerReader] => [
      name,
      { counts: this.#countsOf(name), inFlight: 0, unaccounted: null },
    ])
    return new Map([...others, ...sinks, ...told])
  }

  /** Nobody reads the topic under this name any more. */
  forget(isGone: (reader: string) => boolean): void {
    for (const known of [this.#places, this.#loaded]) {
      for (const reader of known.keys()) if (isGone(reader)) known.delete(reader)
    }
  }

  /** Lets go of what no reader needs. */
  release(): void {
    this.#settle()
    for (const [partition, index] of this.#partitions) {
      const all = [...this.#places.values(), ...this.#loaded.values()]
      index.release(Math.min(index.next, ...all.map((places) => places.get(partition)?.through ?? 0)))
    }
  }

  /** Finds where readers began, once what is stored there is known. */
  #settle(): void {
    for (const places of this.#places.values()) {
      for (const [partition, place] of places) {
        if (place.before !== null) continue
        places.set(partition, { ...place, before: this.#indexOf(partition).countBefore(place.from) ?? null })
      }
    }
  }

  #readerOf(reader: string): LedgerReader {
    const places = this.#places.get(reader)
    let unaccounted: number | null = 0
    const inFlight = this.#sum((partition, index) => {
      const place = places?.get(partition)
      if (!place) return index.count
      const passed = index.countBefore(place.through)
      if (passed === undefined || place.before === null || unaccounted === null) unaccounted = null
      else unaccounted += passed - place.before + place.beyond - place.counted
      return passed === undefined ? 0 : index.count - passed - place.beyond
    })
    return { counts: this.#countsOf(reader), inFlight, unaccounted }
  }

  #sum(events: (partition: number, index: PartitionIndex) => number): number {
    return [...this.#partitions].reduce((sum, [partition, index]) => sum + Math.max(0, events(partition, index)), 0)
  }

  #countsOf(reader: string): LedgerCounts {
    return { ...this.#counts.get(reader) }
  }

  #count(reader: string, minute: string, outcome: LedgerOutcome, events: number): void {
    addTo(this.#counts.getOrInsert(reader, {}), outcome, events)
    this.#onCount(minute, events, { reader, outcome })
  }

  #indexOf(partition: number): PartitionIndex {
    return this.#partitions.getOrInsertComputed(partition, () => new PartitionIndex(nothingYet))
  }
}

/** By whom an event is dead-lettered that was never stored. */
export const gatewayReader = 'gateway'
/** Before the name of a connector. */
export const sinkPrefix = 'connect/'

function byNumber<T>(of: Readonly<Record<string, T>>): Map<number, T> {
  return new Map(Object.entries(of).map(([partition, one]) => [Number(partition), one]))
}
