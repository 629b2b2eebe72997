/**
 * One fetch after another of the topics that are followed. What is handed over of a partition is in order and comes once: a fetch's records
 * count only while the position that they were asked for, and the topic, still stand.
 */
import { MillraceError } from '@millrace/core/errors'
import { type Admin as Client, ListOffsetTimestamps } from '@platformatic/kafka'
import type { Offsets } from './admin.ts'
import { within } from './deadline.ts'
import {
  type FetchedPartition,
  type FetchLimits,
  fetchTopics,
  type StoredRecord,
  type TopicLeaders,
  type WantedTopic,
} from './fetch.ts'

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
  /** Whether a partition is to be read on now; all are unless said. When the answer changes, the follower must be woken. */
  readonly wants?: (topic: string, partition: number) => boolean
  /** Something cannot be read at the moment; the follower goes on trying. */
  readonly onTrouble?: (error: MillraceError) => void
}

export type Followed = {
  readonly name: string
  readonly positions: Map<number, bigint>
  /** As the last metadata had them; without leaders while the topic is in trouble. */
  at: TopicLeaders
}

export type FetchListener = FollowerListener & {
  /** A broker does not lead a topic any more, or there is none. */
  readonly onFailed: (topic: string, broker: number, error: MillraceError) => void
}

/** Two connections to a broker: a fetch that waits there holds up whatever comes after it on its own. */
export type FollowerClients = { readonly asking: Client; readonly fetching: Client }

/** A topic that is added waits for the fetch under way, so that may not wait long at the broker. */
const limits = { maxWaitMs: 250, maxBytes: 4 * 1024 * 1024, partitionMaxBytes: 1024 * 1024 }
const deadlineMs = 10_000

export class TopicFetch {
  readonly #topics: ReadonlyMap<string, Followed>
  readonly #clients: FollowerClients
  readonly #listener: FetchListener
  readonly #limits: FetchLimits

  constructor(
    topics: ReadonlyMap<string, Followed>,
    clients: FollowerClients,
    listener: FetchListener,
    minBytes: number,
  ) {
    this.#topics = topics
    this.#clients = clients
    this.#listener = listener
    this.#limits = { ...limits, minBytes }
  }

  /** What is wanted of a broker. Whoever comes first in a request is served first, so the topics take turns. */
  wantedOf(broker: number, round: number): WantedTopic[] {
    const wanted = [...this.#topics.values()].flatMap(({ name, at, positions }) => {
      const { wants = () => true } = this.#listener
      const partitions = (at.leaders.get(broker) ?? []).filter((partition) => wants(name, partition))
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
  async fetch(broker: number, wanted: readonly WantedTopic[]): Promise<boolean> {
    const { read, failed } = await fetchTopics(this.#clients.fetching, broker, wanted, this.#limits)
    for (const { topic, error } of failed) this.#listener.onFailed(topic, broker, error)
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
    const listed = await within(deadlineMs, `reading offsets of ${name}`, this.#clients.asking.listOffsets({ topics }))
    const found = listed[0]?.partitions[0]
    if (!found) throw new MillraceError('kafka.unavailable', `the offsets of ${name} are not known`)
    return found.offset
  }
}

function rotated<T>(list: readonly T[], by: number): T[] {
  const first = list.length === 0 ? 0 : by % list.length
  return [...list.slice(first), ...list.slice(0, first)]
}
