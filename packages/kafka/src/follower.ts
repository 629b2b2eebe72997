/**
 * Follows many topics at once, `read_committed`, outside any consumer group: one connection and one fetch per broker, however many
 * topics there are and however often they change.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { MillraceError } from '@millrace/core/errors'
import { Admin as Client } from '@platformatic/kafka'
import { type Offsets, openAdmin } from './admin.ts'
import { clientOptions, guarded, type KafkaConnection } from './connection.ts'
import { within } from './deadline.ts'
import { kafkaError } from './errors.ts'
import { leadersOf, type TopicLeaders } from './fetch.ts'
import { leaderless } from './leaders.ts'
import { LeaderWatch } from './leader-watch.ts'
import {
  type FetchListener,
  type Followed,
  type FollowerClients,
  type FollowerListener,
  TopicFetch,
} from './topic-fetch.ts'

export type { FollowerListener, Gap } from './topic-fetch.ts'

/** Where following begins; a partition that is not named begins at 0, as does one that is added later. */
export type FollowStart = 'latest' | 'earliest' | Offsets

export type Follower = {
  /**
   * Begins to follow a topic; one that is followed already goes on from where it is.
   * @returns the offsets from which records are handed over, by partition
   * @throws MillraceError 'kafka.unknown-topic' | 'kafka.refused' | 'kafka.unavailable'
   */
  readonly follow: (topic: string, from: FollowStart) => Promise<Offsets>
  readonly unfollow: (topic: string) => void
  /** Goes on from another place in a partition of a topic that is followed. */
  readonly seek: (topic: string, partition: number, offset: bigint) => void
  /** More is wanted than was when it was last asked. */
  readonly wake: () => void
  /** Looks for new partitions at once: somebody knows that there are some. */
  readonly refresh: () => void
  /** The offset after the last record that was handed over, by partition; `undefined` for a topic that is not followed. */
  readonly positions: (topic: string) => Offsets | undefined
  /** Kafka's id of a topic that is followed: another topic of the same name has another. */
  readonly topicId: (topic: string) => string | undefined
  readonly close: () => Promise<void>
}

const timeouts = { connectTimeoutMs: 2_000, requestTimeoutMs: 6_000 } as const
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
  return new BrokerFollower(connection, listener, minBytes)
}

class BrokerFollower implements Follower {
  readonly #listener: FollowerListener
  readonly #admin
  readonly #clients: FollowerClients
  readonly #stop = new AbortController()
  readonly #topics = new Map<string, Followed>()
  readonly #starting = new Map<string, Promise<Followed>>()
  readonly #loops = new Map<number, Promise<void>>()
  readonly #leaders: LeaderWatch
  readonly #topicFetch: TopicFetch

  constructor(connection: KafkaConnection, listener: FollowerListener, minBytes: number) {
    this.#listener = listener
    this.#admin = openAdmin(connection)
    const openClient = () => guarded(new Client({ ...clientOptions(connection, timeouts), retries: 0 }))
    this.#clients = { asking: openClient(), fetching: openClient() }
    const onFailed: FetchListener['onFailed'] = (name, broker, error) => this.#park(name, broker, error)
    this.#topicFetch = new TopicFetch(this.#topics, this.#clients, { ...listener, onFailed }, minBytes)
    this.#leaders = new LeaderWatch(this.#clients.asking, {
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

  readonly seek = (name: string, partition: number, offset: bigint): void => {
    this.#topics.get(name)?.positions.set(partition, offset)
  }

  readonly wake = (): void => this.#startLoops()

  readonly refresh = (): void => this.#leaders.refresh()

  readonly positions = (name: string): Offsets | undefined => {
    const followed = this.#topics.get(name)
    return followed && new Map(followed.positions)
  }

  readonly topicId = (name: string): string | undefined => this.#topics.get(name)?.at.topicId

  readonly close = async (): Promise<void> => {
    this.#stop.abort()
    const stopped = this.#leaders.stop()
    await Promise.all([
      within(closeTimeoutMs, 'closing a follower', this.#clients.fetching.close()),
      within(closeTimeoutMs, 'closing a follower', this.#clients.asking.close()),
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
      within(deadlineMs, `asking for the leaders of ${name}`, leadersOf(this.#clients.asking, name)),
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
      if (this.#loops.has(broker) || this.#isStopped() || this.#topicFetch.wantedOf(broker, 0).length === 0) continue
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
    for (let round = 0; !this.#isStopped(); round++) {
      const wanted = this.#topicFetch.wantedOf(broker, round)
      if (wanted.length === 0) return
      try {
        const some = await this.#topicFetch.fetch(broker, wanted)
        delayMs = retryDelayMinMs
        if (some) await sleep(gatherMs)
      } catch (error) {
        // What fails because the follower was closed is no trouble.
        if (this.#isStopped()) return
        this.#tell(error, `following what broker ${broker} leads`)
        this.#clients.fetching.clearMetadata() // it may have moved to another address
        this.#leaders.askAgain()
        await this.#pause(delayMs)
        delayMs = Math.min(retryDelayMaxMs, delayMs * 2)
      }
    }
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
