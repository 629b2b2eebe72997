/**
 * A subscriber's place in a topic. While it catches up, live batches wait for it, bounded; then it is live. What it has already is
 * known by partition until the live topic has come as far too, so that nothing is sent twice and nothing is left out at the seam.
 * A live subscriber that reads too slowly misses events, and is told so before the next one, with how many and where.
 */
import type { Offsets } from '@millrace/kafka/admin'
import type { Gap } from '@millrace/kafka/follower'
import { encodeCursor } from './cursor.ts'
import type { EventItem } from './event-item.ts'
import type { Filter } from './filter.ts'
import { advance, type Batch, controlFrame, eventFrame } from './frame.ts'
import { closeCodes, type Outlet } from './outlet.ts'

export type SubscriptionOptions = {
  readonly topic: string
  readonly filter: Filter | undefined
  readonly outlet: Outlet
  /** What may wait for a slow reader at the moment, in bytes, before it misses events. */
  readonly bufferBytesMax: () => number
  readonly onMissed: (count: number) => void
}

/** Records that retention took before the live topic could read them. */
export type LiveGap = { readonly gap: Gap; readonly before: string; readonly after: string }

const heldBatchesMax = 1_000

export class Subscription {
  readonly outlet: Outlet
  readonly #options: SubscriptionOptions
  /** Where it is, by partition, while that is not simply where the live topic is. */
  #own: Map<number, bigint> | undefined
  #isLive = false
  #held: (Batch | LiveGap)[] | undefined
  #heldBytes = 0
  #missed = 0
  #missedFrom: string | undefined
  /** The cursor of what it has been sent or spared, and the one that it was told. */
  #at: string
  #told: string

  constructor(options: SubscriptionOptions, from: Offsets) {
    this.#options = options
    this.outlet = options.outlet
    this.#at = this.#told = encodeCursor(options.topic, from)
    this.#own = new Map(from)
  }

  /** Sends a page that was read for this subscriber alone. */
  deliver(items: readonly EventItem[], next: Offsets): void {
    const own = (this.#own ??= new Map(next))
    const frames = items.flatMap((item) => this.#ownFrame(own, item) ?? [])
    for (const [partition, offset] of next) own.set(partition, offset)
    this.#write(frames)
    this.#at = encodeCursor(this.#options.topic, own)
  }

  /** Tells of records that are gone, and goes on behind them. */
  skip(gaps: readonly Gap[]): void {
    const own = (this.#own ??= new Map<number, bigint>())
    const from = encodeCursor(this.#options.topic, own)
    let count = 0n
    for (const gap of gaps) {
      const at = own.get(gap.partition) ?? 0n
      if (gap.to <= at) continue
      count += gap.to - (gap.from > at ? gap.from : at)
      own.set(gap.partition, gap.to)
    }
    if (count === 0n) return
    this.#at = encodeCursor(this.#options.topic, own)
    this.#missOrTell(Number(count), from, this.#at)
  }

  /** From now on live batches wait. */
  hold(): void {
    this.#held = []
    this.#heldBytes = 0
  }

  /**
   * Sends what waited.
   * @param next where the live topic is
   * @returns whether it is live now; if not, more came than may wait, and it must catch up further
   */
  release(next: Offsets): boolean {
    const held = this.#held
    if (!held) return false
    this.#held = undefined
    this.#isLive = true
    for (const one of held) this.receive(one)
    this.#joinIfCovered(next)
    return true
  }

  /** Takes what the live topic has. @param next where the live topic is after it */
  receive(one: Batch | LiveGap, next?: Offsets): void {
    if (!this.#isLive) {
      this.#hold(one)
      return
    }
    if ('gap' in one) this.#receiveGap(one)
    else if (this.#own) this.#receiveOwn(one, this.#own)
    else this.#receiveShared(one)
    if (next) this.#joinIfCovered(next)
  }

  /** The topic was made anew: what was not sent of the old one is gone, how much of it nobody knows, and all that comes is new. */
  startOver(next: Offsets): void {
    const from = this.#at
    this.#at = encodeCursor(this.#options.topic, next)
    this.#own = undefined
    if (this.#isLive) {
      this.#missOrTell(0, from, this.#at)
      return
    }
    // What is being read for it is of the old topic.
    this.#tellGap(0, from, this.#at)
    this.outlet.end(closeCodes.tryAgainLater, 'the topic was made anew: go on from the last cursor')
  }

  /** Tells what was missed, if there is room again: the next event may be long in coming. */
  tellMissed(): void {
    if (this.#hasMissed() && !this.#isFull()) this.#tellMissed(this.#at)
  }

  /** Tells how far it is where events were left out by its filter: it can resume from there. */
  tellCursor(): void {
    if (this.#at === this.#told || this.#hasMissed() || this.#isFull()) return
    this.outlet.write(controlFrame(this.outlet.encoding, { cursor: this.#at }))
    this.#told = this.#at
  }

  #joinIfCovered(next: Offsets): void {
    if (this.#own && isCovered(this.#own, next)) this.#own = undefined
  }

  #hold(one: Batch | LiveGap): void {
    if (!this.#held) return
    this.#held.push(one)
    if (!('gap' in one)) this.#heldBytes += one.whole(this.outlet.encoding).length
    if (this.#heldBytes > this.#options.bufferBytesMax() || this.#held.length > heldBatchesMax) this.#held = undefined
  }

  #receiveShared(batch: Batch): void {
    const { filter } = this.#options
    const chosen = filter && batch.items.flatMap(({ event }, index) => (filter(event) ? [index] : []))
    this.#at = batch.after
    if (chosen?.length === 0) return
    if (this.#isFull()) {
      this.#miss(chosen ? chosen.length : batch.items.length, batch.before)
      return
    }
    if (this.#hasMissed()) this.#tellMissed(batch.before)
    if (!chosen) this.outlet.write(batch.whole(this.outlet.encoding))
    else this.#write(chosen.map((index) => batch.frame(this.outlet.encoding, index)))
    this.#told = chosen ? batch.cursor(chosen.at(-1) ?? 0) : batch.after
  }

  /** As long as it is ahead of the live topic on some partition, its cursors are its own. */
  #receiveOwn(batch: Batch, own: Map<number, bigint>): void {
    const { topic } = this.#options
    const before = encodeCursor(topic, own)
    const isFull = this.#isFull()
    if (!isFull && this.#hasMissed()) this.#tellMissed(before)
    const fresh = batch.items.filter(({ partition, offset }) => BigInt(offset) >= (own.get(partition) ?? 0n))
    const frames = fresh.flatMap((item) => this.#ownFrame(own, item) ?? [])
    if (isFull && frames.length > 0) this.#miss(frames.length, before)
    else this.#write(frames)
    this.#at = encodeCursor(topic, own)
  }

  #ownFrame(own: Map<number, bigint>, item: EventItem): Buffer | undefined {
    const { filter, topic } = this.#options
    advance(own, item)
    if (filter && !filter(item.event)) return undefined
    const cursor = encodeCursor(topic, own)
    this.#told = cursor
    return eventFrame(this.outlet.encoding, item, cursor)
  }

  #receiveGap({ gap, before, after }: LiveGap): void {
    if (this.#own) {
      this.skip([gap])
      return
    }
    const count = Number(gap.to - gap.from)
    this.#at = after
    this.#missOrTell(count, before, after)
  }

  #missOrTell(count: number, from: string, to: string): void {
    if (this.#isFull() || this.#hasMissed()) this.#miss(count, from)
    else this.#tellGap(count, from, to)
  }

  #miss(count: number, from: string): void {
    this.#missedFrom ??= from
    this.#missed += count
    this.#options.onMissed(count)
  }

  #tellMissed(to: string): void {
    this.#tellGap(this.#missed, this.#missedFrom ?? to, to)
    this.#missed = 0
    this.#missedFrom = undefined
  }

  #tellGap(count: number, from: string, to: string): void {
    this.outlet.write(controlFrame(this.outlet.encoding, { gap: { count, from, to } }))
    this.#told = to
  }

  #write(frames: readonly Buffer[]): void {
    if (frames.length > 0) this.outlet.write(Buffer.concat(frames))
  }

  /** How much it missed may not be known. */
  #hasMissed(): boolean {
    return this.#missedFrom !== undefined
  }

  #isFull(): boolean {
    return this.outlet.bufferedBytes() > this.#options.bufferBytesMax()
  }
}

/** Whether `next` is nowhere behind `own`. */
export function isCovered(own: Offsets, next: Offsets): boolean {
  for (const [partition, offset] of own) if (offset > (next.get(partition) ?? 0n)) return false
  return true
}
