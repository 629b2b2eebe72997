/** Live streams: a topic is decoded once and encoded once for all who are live on it, however many. */
import type { Offsets } from '@millrace/kafka/admin'
import type { Gap } from '@millrace/kafka/follower'
import type { StoredRecord } from '@millrace/kafka/reader'
import { encodeCursor } from './cursor.ts'
import type { EventItem, ItemsOf } from './event-item.ts'
import { Batch } from './frame.ts'
import { closeCodes } from './outlet.ts'
import type { Subscription } from './subscription.ts'
import type { Listening, TopicFeed } from './topic-feed.ts'

export type LiveTopics = {
  /** Begins to follow a topic, before its first subscriber joins; rejects as the feed does. */
  readonly open: (topic: string) => Promise<LiveTopic>
  readonly close: () => Promise<void>
}

/** A topic without subscribers is followed a little longer: most come back. */
const idleMs = 10_000
const sweepMs = 1_000
/** What leaves together: few enough that what is held for a moment never looks like a slow reader. */
const batchEventsMax = 64
const batchBytesMax = 256 * 1_024

/** @param onFault told what should never happen: a subscriber, or all of a topic, had to be sent away */
export function createLiveTopics(feed: TopicFeed, itemsOf: ItemsOf, onFault: (error: unknown) => void): LiveTopics {
  const topics = new Map<string, Promise<LiveTopic>>()

  function drop(topic: string, opened: Promise<LiveTopic>): void {
    if (topics.get(topic) === opened) topics.delete(topic)
  }

  const sweep = setInterval(() => {
    for (const [topic, opened] of topics) {
      void opened.then(
        (live) => {
          if (!live.isIdle(idleMs)) return
          drop(topic, opened)
          live.leave()
        },
        () => undefined,
      )
    }
  }, sweepMs)

  return {
    open: async (topic) => {
      const opened = topics.get(topic) ?? LiveTopic.open(feed, topic, itemsOf, onFault)
      topics.set(topic, opened)
      try {
        const live = await opened
        live.touch()
        return live
      } catch (error) {
        drop(topic, opened)
        throw error
      }
    },
    close: () => {
      clearInterval(sweep)
      return Promise.resolve()
    },
  }
}

export class LiveTopic {
  readonly topic: string
  readonly #itemsOf: ItemsOf
  readonly #onFault: (error: unknown) => void
  readonly #subscriptions = new Set<Subscription>()
  readonly #next = new Map<number, bigint>()
  #listening: Listening | undefined
  #working: Promise<void> | undefined
  #usedAt = performance.now()

  private constructor(topic: string, itemsOf: ItemsOf, onFault: (error: unknown) => void) {
    this.topic = topic
    this.#itemsOf = itemsOf
    this.#onFault = onFault
  }

  static async open(
    feed: TopicFeed,
    topic: string,
    itemsOf: ItemsOf,
    onFault: (error: unknown) => void,
  ): Promise<LiveTopic> {
    const live = new LiveTopic(topic, itemsOf, onFault)
    const listener = {
      onRecords: (records: readonly StoredRecord[]) => live.#receive(records),
      onGap: (gap: Gap) => live.#receiveGap(gap),
      onReset: (positions: Offsets) => void live.#inOrder(() => live.#startOver(positions)),
    }
    live.#listening = await feed.listen(topic, 'latest', listener)
    for (const [partition, offset] of live.#listening.positions()) live.#next.set(partition, offset)
    return live
  }

  /** Where it is: what is before these offsets comes to nobody any more, all the rest to whoever has joined. */
  next(): Offsets {
    return this.#next
  }

  /** @returns what takes the subscriber out again */
  join(subscription: Subscription): () => void {
    this.#subscriptions.add(subscription)
    return () => {
      this.#subscriptions.delete(subscription)
      this.touch()
    }
  }

  touch(): void {
    this.#usedAt = performance.now()
  }

  isIdle(forMs: number): boolean {
    return this.#subscriptions.size === 0 && performance.now() - this.#usedAt > forMs
  }

  leave(): void {
    this.#listening?.leave()
  }

  /** In the order in which they come, though one batch may have to wait for its schema. Never rejects. */
  #receive(records: readonly StoredRecord[]): void | Promise<void> {
    return this.#inOrder(() => this.#take(records))
  }

  #inOrder(work: () => void | Promise<void>): void | Promise<void> {
    const taken = this.#working ? this.#working.then(work) : work()
    if (!(taken instanceof Promise)) return
    const working = taken.finally(() => {
      if (this.#working === working) this.#working = undefined
    })
    this.#working = working
    return working
  }

  #take(records: readonly StoredRecord[]): void | Promise<void> {
    if (this.#subscriptions.size === 0) {
      this.#pass(records)
      return
    }
    try {
      const batches = split(records)
      for (const [index, batch] of batches.entries()) {
        const items = this.#itemsOf(batch)
        if (items instanceof Promise) return this.#takeLater(items, batches.slice(index).flat(), batch.length)
        this.#deliver(items)
      }
    } catch (error) {
      this.#giveUp(records, error)
    }
  }

  /** @param count how many of the records are the items that are waited for */
  async #takeLater(
    waited: Promise<readonly EventItem[]>,
    records: readonly StoredRecord[],
    count: number,
  ): Promise<void> {
    try {
      this.#deliver(await waited)
    } catch (error) {
      this.#giveUp(records, error)
      return
    }
    await this.#take(records.slice(count))
  }

  #deliver(items: readonly EventItem[]): void {
    const batch = new Batch(this.topic, this.#next, items)
    this.#each((subscription) => subscription.receive(batch, this.#next))
  }

  #receiveGap(gap: Gap): void {
    const before = encodeCursor(this.topic, this.#next)
    this.#next.set(gap.partition, gap.to)
    const after = encodeCursor(this.topic, this.#next)
    this.#each((subscription) => subscription.receive({ gap, before, after }, this.#next))
  }

  #startOver(positions: Offsets): void {
    this.#next.clear()
    for (const [partition, offset] of positions) this.#next.set(partition, offset)
    this.#each((subscription) => subscription.startOver(positions))
  }

  /** Whom something cannot be given goes, and the others have it. */
  #each(give: (subscription: Subscription) => void): void {
    for (const subscription of this.#subscriptions) {
      try {
        give(subscription)
      } catch (error) {
        this.#sendAway(subscription)
        this.#onFault(error)
      }
    }
  }

  /** Nobody goes on behind records that could not be made into events: whoever comes again reads them from the topic. */
  #giveUp(records: readonly StoredRecord[], error: unknown): void {
    this.#pass(records)
    for (const subscription of this.#subscriptions) this.#sendAway(subscription)
    this.#onFault(error)
  }

  #sendAway(subscription: Subscription): void {
    this.#subscriptions.delete(subscription)
    subscription.outlet.end(closeCodes.failed, 'an event could not be sent: go on from the last cursor')
  }

  #pass(records: readonly StoredRecord[]): void {
    for (const { partition, offset } of records) this.#next.set(partition, offset + 1n)
  }
}

function split(records: readonly StoredRecord[]): StoredRecord[][] {
  const batches: StoredRecord[][] = []
  let batch: StoredRecord[] = []
  let bytes = 0
  for (const record of records) {
    if (batch.length === 0) batches.push(batch)
    batch.push(record)
    bytes += record.value?.length ?? 0
    if (batch.length < batchEventsMax && bytes < batchBytesMax) continue
    batch = []
    bytes = 0
  }
  return batches
}
