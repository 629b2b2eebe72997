/**
 * Follows many topics at once, `read_committed`, outside any consumer group: one connection and one fetch per broker, however many
 * topics there are and however often they change. What is handed over of a partition is in order and comes once: a fetch's
 * records count only while the position that they were asked for still stands.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { MillraceError } from '@millrace/core/errors'
import { Admin as Client, ListOffsetTimestamps } from '@platformatic/kafka'
import { type Offsets, openAdmin } from './admin.ts'
import { clientOptions, type KafkaConnection } from './connection.ts'
import { within } from './deadline.ts'
import { kafkaError } from './errors.ts'
import {
  type FetchedPartition,
  type FetchLimits,
  fetchTopics,
  leaderless,
  leadersOf,
  type StoredRecord,
  type TopicLeaders,
  type WantedTopic,
} from './fetch.ts'
import { LeaderWatch } from './leader-watch.ts'

/** Where following begins; a partition that is not named begins at 0, as does one that is added later. */
export type FollowStart = 'latest' | 'earliest' | Offsets

/** Records from one offset up to, but without, another, that are gone before they could be read: retention took them. */
export type Gap = { readonly partition: number; readonly from: bigint; readonly to: bigint }

export type FollowerListener = {
  /**
   * Records of a topic, in the order of their partitions. The broker that they come from is read on when the promise is fulfilled:
   * that is the backpressure, and it holds up the other topics of the broker too.
   */
  readonly onRecords: (topic: string, records: readonly StoredRecord[]) => void | Promise<void>
  readonly onGap?: (topic: string, gap: Gap) => void
  /**
   * A topic was deleted, and one of its name was made: what was not read of the old one is gone, and all that the new one has is handed over.
   * @param positions of the new topic: the beginning of each of its partitions
   */
  readonly onReset?: (topic: string, positions: Offsets) => void
  /** Told after every fetch, one without records too, with the offsets after what was handed over. */
  readonly onProgress?: (topic: string, positions: Offsets) => void
  /** Something cannot be read at the moment; the follower goes on trying. */
  readonly onTrouble?: (error: MillraceError) => void
}

export type Follower = {
  /**
   * Begins to follow a topic; one that is followed already goes on from where it is.
   * @returns the offsets from which records are handed over, by partition
   * @throws MillraceError 'kafka.unknown-topic' | 'kafka.refused' | 'kafka.unavailable'
   */
  readonly follow: (topic: string, from: FollowStart) => Promise<Offsets>
  readonly unfollow: (topic: string) => void
  /** Looks for new partitions at once: somebody knows that there are some. */
  readonly refresh: () => void
  /** The offset after the last record that was handed over, by partition; `undefined` for a topic that is not followed. */
  readonly positions: (topic: string) => Offsets | undefined
  readonly close: () => Promise<void>
}

type Followed = {
  readonly name: string
  readonly positions: Map<number, bigint>
  /** As the last metadata had them; without leaders while the topic is in trouble. */
  at: TopicLeaders
}

const timeouts = { connectTimeoutMs: 2_000, requestTimeoutMs: 6_000 } as const
/** A topic that is added waits for the fetch under way, so that may not wait long at the broker. */
const limits = { maxWaitMs: 250, maxBytes: 4 * 1024 * 1024, partitionMaxBytes: 1024 * 1024 }
/** Under load a fetch answers at once with the little that has come since; this pause lets some gather. */
const gatherMs = 15
const retryDelayMinMs = 100
const retryDelayMaxMs = 2_000
const deadlineMs = 10_000
const closeTimeoutMs = 2_000

/**
 * Opens a follower that follows nothing yet. It connects with its first topic.
 * @param minBytes what should come together at a broker before it is handed over; where it does not, what came within 250 ms is
 */
export function openFollower(connection: KafkaConnection, listener: FollowerListener, minBytes = 1): Follower {
  return new BrokerFollower(connection, listener, { ...limits, minBytes })
}

class BrokerFollower implements Follower {
  readonly #listener: FollowerListener
  readonly #limits: FetchLimits
  readonly #admin
  readonly #asking: Client
  readonly #fetching: Client
  readonly #stop = new AbortController()
  readonly #topics = new Map<string, Followed>()
  readonly #starting = new Map<string, Promise<Followed>>()
  readonly #loops = new Map<number, Promise<void>>()
  readonly #leaders: LeaderWatch

  constructor(connection: KafkaConnection, listener: FollowerListener, limits: FetchLimits) {
    this.#listener = listener
    this.#limits = limits
    this.#admin = openAdmin(connection)
    // Two connections to a broker: a fetch that waits there holds up whatever comes after it on its own.
    this.#asking = new Client({ ...clientOptions(connection, timeouts), retries: 0 })
    this.#fetching = new Client({ ...clientOptions(connection, timeouts), retries: 0 })
    this.#leaders = new LeaderWatch(this.#asking, {
      topics: () => [...this.#topics.keys()],
      onLeaders: (name, at) => this.#lead(name, at),
      onAsked: () => this.#startLoops(),
      onTrouble: (error, what) => this.#tell(error, what),
    })
  }

  readonly follow = async (name: string, from: FollowStart): Promise<Offsets> => {
    const followed = this.#topics.get(name) ?? (await (this.#starting.get(name) ?? this.#start(name, from)))
    return new Map(followed.positions)
  }

  readonly unfollow = (name: string): void => {
    this.#topics.delete(name)
    this.#starting.delete(name)
  }

  readonly refresh = (): void => this.#leaders.refresh()

  readonly positions = (name: string): Offsets | undefined => {
    const followed = this.#topics.get(name)
    return followed && new Map(followed.positions)
  }

  readonly close = async (): Promise<void> => {
    this.#stop.abort()
    const stopped = this.#leaders.stop()
    await Promise.all([
      within(closeTimeoutMs, 'closing a follower', this.#fetching.close()),
      within(closeTimeoutMs, 'closing a follower', this.#asking.close()),
      this.#admin.close(),
    ])
    await Promise.all([stopped, ...this.#loops.values()])
  }

  #start(name: string, from: FollowStart): Promise<Followed> {
    const started = this.#begin(name, from)
    this.#starting.set(name, started)
    const settled = () => {
      if (this.#starting.get(name) === started) this.#starting.delete(name)
    }
    started.then((followed) => {
      if (this.#starting.get(name) === started && !this.#isStopped()) this.#add(followed)
      settled()
    }, settled)
    return started
  }

  async #begin(name: string, from: FollowStart): Promise<Followed> {
    const [starts, at] = await Promise.all([
      from === 'latest' ? this.#admin.endOffsets(name) : this.#admin.startOffsets(name),
      within(deadlineMs, `asking for the leaders of ${name}`, leadersOf(this.#asking, name)),
    ])
    const positions = new Map(typeof from === 'string' ? starts : [...[...starts.keys()].map(zero), ...from])
    return { name, positions, at }
  }

  #add(followed: Followed): void {
    this.#topics.set(followed.name, followed)
    this.#leaders.start()
    this.#startLoops()
  }

  #startLoops(): void {
    for (const broker of new Set([...this.#topics.values()].flatMap(({ at }) => [...at.leaders.keys()]))) {
      if (this.#loops.has(broker) || this.#isStopped()) continue
      const loop = this.#followBroker(broker).finally(() => {
        this.#loops.delete(broker)
        this.#startLoops() // for a topic that came as the loop ended
      })
      this.#loops.set(broker, loop)
    }
  }

  /** Reads what a broker leads, until it leads nothing that is followed. */
  async #followBroker(broker: number): Promise<void> {
    let delayMs = retryDelayMinMs
    // Whoever comes first in a request is served first, so the topics take turns, at each broker for itself.
    for (let round = 0; ; round++) {
      const wanted = this.#wantedOf(broker, round)
      if (wanted.length === 0) return
      try {
        const some = await this.#fetch(broker, wanted)
        delayMs = retryDelayMinMs
        if (some) await sleep(gatherMs)
      } catch (error) {
        // What fails because the follower was closed is no trouble.
        if (this.#isStopped()) return
        this.#tell(error, `following what broker ${broker} leads`)
        this.#fetching.clearMetadata() // it may have moved to another address
        this.#leaders.askAgain()
        await this.#pause(delayMs)
        delayMs = Math.min(retryDelayMaxMs, delayMs * 2)
      }
    }
  }

  #wantedOf(broker: number, round: number): WantedTopic[] {
    if (this.#isStopped()) return []
    const wanted = [...this.#topics.values()].flatMap(({ name, at, positions }) => {
      const partitions = at.leaders.get(broker) ?? []
      if (partitions.length === 0) return []
      const turned = rotated(partitions, round)
      return [
        {
          name,
          id: at.topicId,
          positions: new Map(turned.map((partition) => [partition, positions.get(partition) ?? 0n])),
        },
      ]
    })
    return rotated(wanted, round)
  }

  /** @returns whether there were records */
  async #fetch(broker: number, wanted: readonly WantedTopic[]): Promise<boolean> {
    const { read, failed } = await fetchTopics(this.#fetching, broker, wanted, this.#limits)
    for (const { topic, error } of failed) this.#park(topic, broker, error)
    let some = false
    for (const { name, id } of wanted) {
      const ofTopic = read.filter(({ topic }) => topic === name)
      const followed = this.#topics.get(name)
      // The topic may have been made anew meanwhile: what was read is of the old one then.
      if (ofTopic.length > 0 && followed?.at.topicId === id) some = (await this.#handOver(followed, ofTopic)) || some
    }
    return some
  }

  async #handOver(followed: Followed, fetched: readonly FetchedPartition[]): Promise<boolean> {
    const { name } = followed
    // The partition may have been read from another broker meanwhile: what was asked for before is its own then.
    const current = fetched.filter(({ partition, position }) => (followed.positions.get(partition) ?? 0n) === position)
    const records = current.flatMap((partition) => partition.records)
    for (const { partition, next } of current) followed.positions.set(partition, next)
    if (records.length > 0) await this.#listener.onRecords(name, records)
    for (const partition of current) if (partition.outOfRange) await this.#leap(followed, partition)
    if (this.#topics.get(name) === followed) this.#listener.onProgress?.(name, followed.positions)
    return records.length > 0
  }

  /** Goes on from where a partition has records again: retention took those before. Where it ends, if it lost its end. */
  async #leap(followed: Followed, { partition, position }: FetchedPartition): Promise<void> {
    const at = (timestamp: bigint) => this.#offsetAt(followed.name, partition, timestamp)
    const [start, end] = await Promise.all([at(ListOffsetTimestamps.EARLIEST), at(ListOffsetTimestamps.LATEST)])
    const next = start > position ? start : end < position ? end : position
    if (followed.positions.get(partition) !== position) return
    followed.positions.set(partition, next)
    if (next > position) this.#listener.onGap?.(followed.name, { partition, from: position, to: next })
  }

  async #offsetAt(name: string, partitionIndex: number, timestamp: bigint): Promise<bigint> {
    const topics = [{ name, partitions: [{ partitionIndex, timestamp }] }]
    const listed = await within(deadlineMs, `reading offsets of ${name}`, this.#asking.listOffsets({ topics }))
    const found = listed[0]?.partitions[0]
    if (!found) throw new MillraceError('kafka.unavailable', `the offsets of ${name} are not known`)
    return found.offset
  }

  /** Leaves what a broker does not lead any more until the leaders are known again, so that the rest is read on. */
  #park(name: string, broker: number, error: MillraceError): void {
    const followed = this.#topics.get(name)
    if (followed?.at.leaders.has(broker)) {
      const leaders = new Map([...followed.at.leaders].filter(([leader]) => leader !== broker))
      followed.at = { ...followed.at, leaders }
      this.#tell(error, `following ${name}`)
    }
    this.#leaders.askAgain()
  }

  #lead(name: string, at: TopicLeaders): void {
    const followed = this.#topics.get(name)
    if (!followed) return
    const isNew = followed.at.topicId !== at.topicId
    if (isNew) followed.positions.clear()
    for (const partition of [...at.leaders.values()].flat()) {
      if (!followed.positions.has(partition)) followed.positions.set(partition, 0n)
    }
    followed.at = { ...at, leaders: new Map([...at.leaders].filter(([broker]) => broker !== leaderless)) }
    if (isNew) this.#listener.onReset?.(name, new Map(followed.positions))
    if (at.leaders.has(leaderless)) this.#leaders.askAgain()
  }

  #tell(error: unknown, what: string): void {
    this.#listener.onTrouble?.(kafkaError(error, what))
  }

  async #pause(delayMs: number): Promise<void> {
    await sleep(delayMs, undefined, { signal: this.#stop.signal }).catch(() => undefined)
  }

  /** A call, since the state of a signal changes while others run. */
  #isStopped(): boolean {
    return this.#stop.signal.aborted
  }
}

function zero(partition: number): [number, bigint] {
  return [partition, 0n]
}

function rotated<T>(list: readonly T[], by: number): T[] {
  const first = list.length === 0 ? 0 : by % list.length
  return [...list.slice(first), ...list.slice(0, first)]
}
