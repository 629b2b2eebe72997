import { MillraceError } from '@millrace/core/errors'
import type { KafkaConnection } from './connection.ts'
import { type Entry, type Lane, notConfirmed, openLane, type PartitionQueue } from './lane.ts'
import { createPartitionChoice } from './partition-choice.ts'
import { type OutgoingRecord, recordBytes, type StoredAt } from './record.ts'
import { openTopicPartitions } from './topic-partitions.ts'

export type { OutgoingRecord, StoredAt } from './record.ts'

export type ProducerOptions = {
  /** How many records may wait or be under way; more are refused with 'kafka.overloaded'. */
  readonly queueEventsMax: number
  /** How many bytes these may have together. */
  readonly queueBytesMax: number
  /** How long a record may take from `send` until all in-sync replicas have it. */
  readonly deliveryTimeoutMs: number
  readonly batchEventsMax: number
  /** Must stay below the topics' `max.message.bytes`. */
  readonly batchBytesMax: number
  /** How many sends may be under way at once, each of one partition. */
  readonly lanes: number
}

const producerDefaults: ProducerOptions = {
  queueEventsMax: 20_000,
  queueBytesMax: 128 * 1_048_576,
  deliveryTimeoutMs: 10_000,
  batchEventsMax: 1_000,
  batchBytesMax: 1_000_000,
  lanes: 6,
}

/** Stores records: idempotent, confirmed by all in-sync replicas, in order per partition. */
export type Producer = {
  /**
   * Stores one record. Records of one partition are stored in the order of the calls.
   * Rejects with MillraceError 'kafka.not-confirmed' (stored or not), 'kafka.overloaded', 'kafka.too-large', 'kafka.refused', 'kafka.unknown-topic' or 'kafka.unavailable'.
   */
  readonly send: (record: OutgoingRecord) => Promise<StoredAt>
  /** Records handed over and not yet settled. */
  readonly queuedEvents: () => number
  /** Resolves when everything that was handed over is settled. */
  readonly flush: () => Promise<void>
  readonly close: () => Promise<void>
}

const sweepMs = 100
const metadataRefreshMs = 10_000

/** Opens a producer. What gathers for a partition while a send of it is under way leaves with the next (group commit). */
export function openProducer(connection: KafkaConnection, options: ProducerOptions = producerDefaults): Producer {
  let queued = 0
  let queuedBytes = 0
  let closed = false
  const emptied: (() => void)[] = []
  const settle = (events: number): void => {
    queued -= events
    if (queued === 0) for (const resolve of emptied.splice(0)) resolve()
  }
  const choice = createPartitionChoice()
  const partitions = openTopicPartitions(connection)
  const lanes = Array.from({ length: options.lanes }, () => openLane(connection, options, settle, choice.advance))
  const queues = new Map<string, { readonly queue: PartitionQueue; readonly lane: Lane }>()

  const queueOf = (topic: string, partition: number) => {
    const name = `${topic}/${partition}`
    const known = queues.get(name)
    if (known) return known
    const lane = lanes[queues.size % lanes.length]
    if (!lane) throw new RangeError('a producer needs at least one lane')
    const made = { queue: { topic, partition, entries: [] }, lane }
    queues.set(name, made)
    return made
  }
  const enqueue = (record: OutgoingRecord, count: number, entry: Entry): void => {
    const { queue, lane } = queueOf(record.topic, choice.choose(record, count))
    queue.entries.push(entry)
    lane.offer(queue)
  }
  const sweep = setInterval(() => {
    const now = performance.now()
    for (const lane of lanes) lane.expire(now)
    for (const { queue } of queues.values()) settle(rejectExpired(queue, now))
  }, sweepMs).unref()
  const refresh = setInterval(() => void partitions.refresh(), metadataRefreshMs).unref()

  return {
    send: (record) => {
      const bytes = recordBytes(record)
      const refusal = closed ? closing() : refusalOf(bytes, { queued, queuedBytes }, options)
      if (refusal) return Promise.reject(refusal)
      const { promise, resolve, reject } = Promise.withResolvers<StoredAt>()
      const expiresAt = performance.now() + options.deliveryTimeoutMs
      const entry: Entry = { record, bytes, expiresAt, resolve, reject }
      queued++
      queuedBytes += bytes
      const release = () => (queuedBytes -= bytes)
      promise.then(release, release)
      const count = partitions.known(record.topic)
      if (count !== undefined) enqueue(record, count, entry)
      else {
        partitions.fetch(record.topic).then(
          (fetched) => enqueue(record, fetched, entry),
          (error: unknown) => {
            settle(1)
            reject(asMillraceError(error, record.topic))
          },
        )
      }
      return promise
    },
    queuedEvents: () => queued,
    flush: () => (queued === 0 ? Promise.resolve() : new Promise((resolve) => emptied.push(resolve))),
    close: async () => {
      closed = true
      clearInterval(sweep)
      clearInterval(refresh)
      for (const { queue } of queues.values()) settle(rejectExpired(queue, Infinity))
      for (const lane of lanes) lane.expire(Infinity)
      await Promise.all([...lanes.map((lane) => lane.close()), partitions.close()])
    },
  }
}

type Queued = { readonly queued: number; readonly queuedBytes: number }

function refusalOf(
  bytes: number,
  { queued, queuedBytes }: Queued,
  options: ProducerOptions,
): MillraceError | undefined {
  if (bytes > options.batchBytesMax) {
    return new MillraceError('kafka.too-large', `a record of ${bytes} bytes is larger than ${options.batchBytesMax}`)
  }
  if (queued < options.queueEventsMax && queuedBytes + bytes <= options.queueBytesMax) return undefined
  const waiting = `${queued} records of ${queuedBytes} bytes wait for Kafka already`
  return new MillraceError('kafka.overloaded', `${waiting}: send it again later`)
}

/** Entries expire in the order in which they came. */
function rejectExpired(queue: PartitionQueue, now: number): number {
  const firstAlive = queue.entries.findIndex((entry) => entry.expiresAt > now)
  const expired = queue.entries.splice(0, firstAlive === -1 ? queue.entries.length : firstAlive)
  for (const entry of expired) entry.reject(notConfirmed(queue.topic))
  return expired.length
}

function closing(): MillraceError {
  return new MillraceError('kafka.unavailable', 'the producer is closed')
}

function asMillraceError(error: unknown, topic: string): MillraceError {
  return error instanceof MillraceError ? error : notConfirmed(topic, error)
}
