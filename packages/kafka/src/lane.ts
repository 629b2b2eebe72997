/**
 * One idempotent producer of the client library, with ONE send under way at any time, each of one partition alone.
 *
 * Why so strict (read in @platformatic/kafka 2.12.1, clients/producer/producer.js, and measured under broker kills):
 * - Sequence numbers are taken when a send starts, and a retry repeats the same numbers under the same producer id, so a retry of
 *   the library is idempotent. It never gives up by itself (retries = MAX_SAFE_INTEGER): the delivery deadline is ours.
 * - A send that fails for good throws the producer id and ALL sequence numbers away, those of other partitions whose sends are
 *   under way too. And a retry routes all partitions of a send to the leader of its first record. With several sends or partitions
 *   in flight, that doubled events and left sends hanging when a broker died.
 * - After a failed send the next one would leave a hole in the sequence. So a producer that failed is thrown away: the next batch
 *   gets a new one, with a new producer id. A batch itself is never repeated under a new producer id, since it may have been stored.
 */
import { MillraceError } from '@millrace/core/errors'
import { ProduceAcks, Producer } from '@platformatic/kafka'
import { clientOptions, type KafkaConnection } from './connection.ts'
import { within } from './deadline.ts'
import { kafkaError, protocolErrors } from './errors.ts'
import type { OutgoingRecord, StoredAt } from './record.ts'

export type Entry = {
  readonly record: OutgoingRecord
  readonly bytes: number
  readonly expiresAt: number
  readonly resolve: (stored: StoredAt) => void
  readonly reject: (error: MillraceError) => void
}

/** What waits for one partition, oldest first. */
export type PartitionQueue = {
  readonly topic: string
  readonly partition: number
  readonly entries: Entry[]
}

export type LaneLimits = { readonly batchEventsMax: number; readonly batchBytesMax: number }

export type Lane = {
  /** Says that a queue has entries: it takes its turn. */
  readonly offer: (queue: PartitionQueue) => void
  /** Rejects the entries of the send under way whose time is over. */
  readonly expire: (now: number) => void
  readonly close: () => Promise<void>
}

type Client = Producer<Buffer, Buffer, string, string>
type Sending = { readonly batch: Set<Entry>; readonly abandon: () => void }

const timeouts = { connectTimeoutMs: 2_000, requestTimeoutMs: 4_000 } as const
const closeTimeoutMs = 2_000
const retryDelayMinMs = 50
const retryDelayMaxMs = 1_000
/** A partition whose leader moved is looked for again after this time at the latest. */
const metadataMaxAgeMs = 2_000

export function openLane(
  connection: KafkaConnection,
  limits: LaneLimits,
  onSettled: (events: number) => void,
  onLeave: (topic: string, partition: number) => void,
): Lane {
  const waiting = new Set<PartitionQueue>()
  let client: Client | undefined
  let sending: Sending | undefined
  let running = false

  const discardClient = (): Promise<void> => {
    const discarded = client
    client = undefined
    // Nothing is lost by a producer that does not close in time: its send was given up already.
    return discarded
      ? within(closeTimeoutMs, 'closing a producer', discarded.close()).catch(() => undefined)
      : Promise.resolve()
  }

  const deliver = async (queue: PartitionQueue, entries: Entry[]): Promise<void> => {
    const abandoned = Promise.withResolvers<undefined>()
    const batch = new Set(entries)
    sending = { batch, abandon: () => abandoned.resolve(undefined) }
    try {
      client ??= openClient(connection)
      const base = await Promise.race([sendBatch(client, queue, entries), abandoned.promise])
      if (base === undefined) void discardClient()
      else
        entries.forEach((entry, index) => entry.resolve({ partition: queue.partition, offset: base + BigInt(index) }))
    } catch (error) {
      void discardClient()
      const failure = asDeliveryError(error, queue)
      for (const entry of batch) entry.reject(failure)
    } finally {
      sending = undefined
      onSettled(batch.size)
    }
  }

  const run = async (): Promise<void> => {
    for (const queue of waiting) {
      waiting.delete(queue)
      const batch = takeBatch(queue, limits)
      if (batch.length > 0) {
        onLeave(queue.topic, queue.partition)
        await deliver(queue, batch)
      }
      if (queue.entries.length > 0) waiting.add(queue)
    }
    running = false
  }

  return {
    offer: (queue) => {
      waiting.add(queue)
      if (running) return
      running = true
      // What arrives in the same turn of the event loop goes into the same batch.
      setImmediate(() => void run())
    },
    expire: (now) => {
      if (!sending) return
      const expired = [...sending.batch].filter((entry) => entry.expiresAt <= now)
      for (const entry of expired) {
        sending.batch.delete(entry)
        entry.reject(notConfirmed(entry.record.topic))
      }
      onSettled(expired.length)
      if (sending.batch.size === 0) sending.abandon()
    },
    close: async () => {
      sending?.abandon()
      await discardClient()
    },
  }
}

export function notConfirmed(topic: string, cause?: unknown): MillraceError {
  const message = `Kafka did not confirm a record of ${topic} in time: it may be stored or not, send it again`
  return new MillraceError('kafka.not-confirmed', message, { cause })
}

function asDeliveryError(error: unknown, { topic }: PartitionQueue): MillraceError {
  const failure = kafkaError(error, `writing to ${topic}`)
  const lostProducer = [...protocolErrors(error)].some((name) => producerErrors.has(name))
  return failure.retryable || lostProducer ? notConfirmed(topic, failure) : failure
}

/** These are about the producer, not about the records: with the next producer they may be stored. */
const producerErrors = new Set([
  'INVALID_PRODUCER_EPOCH',
  'PRODUCER_FENCED',
  'OUT_OF_ORDER_SEQUENCE_NUMBER',
  'UNKNOWN_PRODUCER_ID',
  'DUPLICATE_SEQUENCE_NUMBER',
])

function takeBatch({ entries }: PartitionQueue, { batchEventsMax, batchBytesMax }: LaneLimits): Entry[] {
  let bytes = 0
  const end = entries.findIndex((entry, index) => {
    bytes += entry.bytes
    return index === batchEventsMax || (index > 0 && bytes > batchBytesMax)
  })
  return entries.splice(0, end === -1 ? entries.length : end)
}

async function sendBatch(client: Client, { topic, partition }: PartitionQueue, entries: Entry[]): Promise<bigint> {
  const { offsets } = await client.send({
    acks: ProduceAcks.ALL,
    messages: entries.map(({ record }) => ({
      topic,
      partition,
      ...(record.key && { key: record.key }),
      value: record.value,
      headers: mutable(record.headers),
      timestamp: BigInt(record.timestampMs),
    })),
  })
  const stored = offsets?.find((result) => result.topic === topic && result.partition === partition)
  if (!stored) throw new MillraceError('kafka.not-confirmed', `Kafka's answer to a write to ${topic} names no offset`)
  return stored.offset
}

/** The client library asks for a map that it could change, and changes nothing: a copy for each record would be for its types alone. */
function mutable(headers: OutgoingRecord['headers']): Map<string, string> {
  const map: unknown = headers
  return isStringMap(map) ? map : new Map(headers)
}

function isStringMap(value: unknown): value is Map<string, string> {
  return value instanceof Map
}

function openClient(connection: KafkaConnection): Client {
  return new Producer<Buffer, Buffer, string, string>({
    ...clientOptions(connection, timeouts),
    idempotent: true,
    metadataMaxAge: metadataMaxAgeMs,
    retryDelay: (_client, _operation, attempt) => backoffMs(attempt),
    serializers: {
      key: (key) => key,
      value: (value) => value,
      headerKey: headerName,
      headerValue: (text) => Buffer.from(text ?? ''),
    },
  })
}

/** Exponential, with half of it at random, so that gateways do not come back all at once. */
function backoffMs(attempt: number): number {
  const delay = Math.min(retryDelayMaxMs, retryDelayMinMs * 2 ** Math.min(attempt, 10))
  return delay / 2 + (Math.random() * delay) / 2
}

const headerNames = new Map<string, Buffer>()
const headerNamesMax = 1_000

/** Header names are few and repeat with every record. */
function headerName(name: string | undefined): Buffer {
  const text = name ?? ''
  const known = headerNames.get(text)
  if (known) return known
  const bytes = Buffer.from(text)
  if (headerNames.size < headerNamesMax) headerNames.set(text, bytes)
  return bytes
}
