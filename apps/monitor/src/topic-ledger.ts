/** One topic's part of the accounting: what is stored in it, against what its readers say. It reads and writes nothing itself. */
import type { Account } from '@millrace/core/account'
import { addTo, type LedgerCounts, type LedgerOutcome, ledgerOutcomes, type LedgerReader } from '@millrace/core/ledger'
import * as z from 'zod'
import { PartitionIndex } from './partition-index.ts'

/**
 * Where a reader is in a partition, by what it told. What it has passed since it began is `through` and `beyond`, less `base`; and that it was to
 * tell of.
 */
const place = z.object({
  from: z.int().nullable().describe('where it began, by what it told; null when that says nothing any more'),
  base: z.int().nullable().describe('how many records it began behind; null as long as it is not known'),
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
  partitions: byName(z.object({ origin: z.int(), start: z.int(), next: z.int(), count: z.int() })),
  places: byName(byName(place)),
  loaded: byName(byName(loadedPlace)),
  counts: byName(counts),
  writtenOff: byName(z.int()),
})
export type TopicState = z.output<typeof topicState>

/** Told of each count: of what is stored, or of what somebody did with it. */
export type OnCount = (
  minute: string,
  events: number,
  by?: { readonly reader: string; readonly outcome: LedgerOutcome },
) => void

export class TopicLedger {
  readonly #onCount: OnCount
  readonly #partitions: Map<number, PartitionIndex>
  readonly #places: Map<string, Map<number, Place>>
  readonly #loaded: Map<string, Map<number, Loaded>>
  readonly #counts: Map<string, LedgerCounts>
  readonly #writtenOff: Map<string, number>
  #accepted: number

  constructor(onCount: OnCount, state?: TopicState) {
    const { accepted = 0, partitions = {}, places = {}, loaded = {}, counts = {}, writtenOff = {} } = state ?? {}
    this.#onCount = onCount
    this.#accepted = accepted
    this.#partitions = new Map(
      [...byNumber(partitions)].map(([partition, index]) => [partition, new PartitionIndex(index)]),
    )
    this.#places = new Map(Object.entries(places).map(([reader, of]) => [reader, byNumber(of)]))
    this.#loaded = new Map(Object.entries(loaded).map(([sink, of]) => [sink, byNumber(of)]))
    this.#writtenOff = new Map(Object.entries(writtenOff))
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
      writtenOff: each(this.#writtenOff, (events) => events),
    }
  }

  stored(partition: number, offset: number, minute: string): void {
    if (!this.#indexOf(partition, offset).append(offset, minute)) return
    this.#accepted += 1
    this.#onCount(minute, 1)
  }

  /** There is nothing more in the partition before this offset. */
  reached(partition: number, offset: number): void {
    this.#indexOf(partition, offset).reach(offset)
  }

  /** Records, or what readers told of them, were gone before they could be counted: what is missing of them shows nothing. */
  lost(partition?: number): void {
    for (const places of this.#places.values()) {
      for (const [number, place] of places) {
        if (number === (partition ?? number)) places.set(number, { ...place, from: null, base: null })
      }
    }
  }

  /** What a reader says of itself. Its accounts of a partition come in any order of their offsets. */
  account({ reader, partition, from, through, beyond, counts, anew }: Account): void {
    if (anew) {
      this.#begin(reader)
      return
    }
    const places = this.#places.getOrInsertComputed(reader, () => new Map())
    const first = Math.min(from, through)
    const place = places.get(partition) ?? { from: first, base: null, through, beyond, counted: 0 }
    const isEarlier = place.from !== null && first < place.from
    places.set(partition, {
      ...(isEarlier ? { from: first, base: null } : { from: place.from, base: place.base }),
      ...(through < place.through ? { through: place.through, beyond: place.beyond } : { through, beyond }),
      counted: place.counted + counts.reduce((sum, { events }) => sum + events, 0),
    })
    for (const { minute, outcome, events } of counts) this.#count(reader, minute, outcome, events)
  }

  #begin(reader: string): void {
    this.#places.set(reader, new Map())
    this.#counts.delete(reader)
    this.#writtenOff.delete(reader)
  }

  /** A sink, which says nothing of single events, has loaded everything before an offset. */
  loaded(sink: string, partition: number, offset: number): void {
    const index = this.#partitions.get(partition)
    if (!index) return
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
    const known = (reader: string, inFlight: number | null, unaccounted: number | null): [string, LedgerReader] => [
      reader,
      {
        ...{ counts: { ...this.#counts.get(reader) }, inFlight, unaccounted },
        writtenOff: this.#writtenOff.get(reader) ?? 0,
      },
    ]
    return new Map([
      ...[...this.#counts.keys()].map((name) => known(name, 0, null)),
      ...[...this.#loaded].map(([sink, loaded]) => {
        const inFlight = this.#sum((partition, index) => index.count - (loaded.get(partition)?.count ?? 0))
        return known(sink, inFlight, null)
      }),
      ...[...this.#places.keys()].map((reader) =>
        known(reader, this.#sum(this.#inFlightOf(reader)), this.#sum(this.#unaccountedOf(reader))),
      ),
    ])
  }

  /** Begins anew with what a reader does not account for, so that whatever comes on top of it can be told. */
  writeOff(reader: string): void {
    const events = this.#sum(this.#unaccountedOf(reader)) ?? 0
    this.#writtenOff.set(reader, (this.#writtenOff.get(reader) ?? 0) + events)
    for (const [partition, place] of this.#places.get(reader) ?? []) {
      this.#places.get(reader)?.set(partition, { ...place, from: null, base: null })
    }
    this.#settle()
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

  /** Finds what readers began behind, once that is known; where it will not be, they begin where they are. */
  #settle(): void {
    for (const places of this.#places.values()) {
      for (const [partition, place] of places) {
        const index = this.#partitions.get(partition)
        if (place.base !== null || !index) continue
        const { from, through, beyond, counted } = place
        const passed = index.countBefore(through)
        if (from !== null && !index.hasLost(from))
          places.set(partition, { ...place, base: index.countBefore(from) ?? null })
        else if (passed !== undefined) places.set(partition, { ...place, from: null, base: passed + beyond - counted })
      }
    }
  }

  #inFlightOf(reader: string) {
    return (partition: number, index: PartitionIndex): number | null => {
      const place = this.#places.get(reader)?.get(partition)
      if (!place) return index.count
      const passed = index.countBefore(place.through)
      if (passed !== undefined) return Math.max(0, index.count - passed - place.beyond)
      return place.through > index.next ? 0 : null
    }
  }

  #unaccountedOf(reader: string) {
    return (partition: number, index: PartitionIndex): number | null => {
      const place = this.#places.get(reader)?.get(partition)
      if (!place) return 0
      const passed = index.countBefore(place.through)
      if (passed === undefined || place.base === null) return null
      return passed + place.beyond - place.base - place.counted
    }
  }

  /** Over all partitions; null where one is not known. */
  #sum(events: (partition: number, index: PartitionIndex) => number | null): number | null {
    let sum = 0
    for (const [partition, index] of this.#partitions) {
      const some = events(partition, index)
      if (some === null) return null
      sum += some
    }
    return sum
  }

  #count(reader: string, minute: string, outcome: LedgerOutcome, events: number): void {
    addTo(this.#counts.getOrInsert(reader, {}), outcome, events)
    this.#onCount(minute, events, { reader, outcome })
  }

  /** A partition begins with the first offset that it is told of. */
  #indexOf(partition: number, offset: number): PartitionIndex {
    return this.#partitions.getOrInsertComputed(partition, () => {
      return new PartitionIndex({ origin: offset, start: offset, next: offset, count: 0 })
    })
  }
}

/** By whom an event is dead-lettered that was never stored. */
export const gatewayReader = 'gateway'
/** Before the name of a connector. */
export const sinkPrefix = 'connect/'

function byNumber<T>(of: Readonly<Record<string, T>>): Map<number, T> {
  return new Map(Object.entries(of).map(([partition, one]) => [Number(partition), one]))
}
