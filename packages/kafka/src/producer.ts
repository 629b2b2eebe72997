import { MillraceError } from '@millrace/core/errors'
import { backoffMs } from './backoff.ts'
import { type BatchLimits, batchLimits, tooLarge } from './batch-limits.ts'
import { brokerConnections } from './broker-connections.ts'
import { BrokerSender, type Outcome } from './broker-sender.ts'
import { type Cluster, openCluster } from './cluster.ts'
import type { KafkaConnection } from './connection.ts'
import { kafkaError } from './errors.ts'
import { createPartitionChoice } from './partition-choice.ts'
import { type Entry, PartitionWriter, type WriterListener } from './partition-writer.ts'
import { protocolError, verdictOf } from './produce-verdict.ts'
import { type OutgoingRecord, recordBytes, type StoredAt } from './record.ts'

export type { OutgoingRecord, StoredAt } from './record.ts'

export type ProducerOptions = BatchLimits & {
  /** How many records may wait or be under way; more are refused with 'kafka.overloaded'. */
  readonly queueEventsMax: number
  /** How many bytes these may have together. */
  readonly queueBytesMax: number
  /** How long a record may take from `send` until all in-sync replicas have it. */
  readonly deliveryTimeoutMs: number
  /** No batch is added to a request that has this much. */
  readonly requestBytesMax: number
}

export const producerDefaults: ProducerOptions = {
  queueEventsMax: 20_000,
  queueBytesMax: 128 * 1_048_576,
  deliveryTimeoutMs: 10_000,
  ...batchLimits,
  requestBytesMax: 4_000_000,
}

/** Stores records: idempotent, confirmed by all in-sync replicas, in order per partition. */
export type Producer = {
  /** Connects to all brokers that can be reached now, so that the first records need not wait for it. */
  readonly connect: () => Promise<void>
  /**
   * Stores one record. Records of one partition are stored in the order of the calls.
   * Rejects with MillraceError 'kafka.not-confirmed' (stored or not), 'kafka.overloaded', 'kafka.too-large', 'kafka.unfit', 'kafka.refused', 'kafka.unknown-topic' or 'kafka.unavailable'.
   */
  readonly send: (record: OutgoingRecord) => Promise<StoredAt>
  /** Records handed over and not yet settled. */
  readonly queuedEvents: () => number
  /** Resolves when everything that was handed over is settled. */
  readonly flush: () => Promise<void>
  readonly close: () => Promise<void>
}

const expireMs = 100
/** A topic that was just made is not known to all brokers yet; one that is unknown for so many attempts is gone. */
const unknownTopicAttemptsMax = 6

/** Opens a producer. Without `connect` it connects with its first record. */
export function openProducer(connection: KafkaConnection, options: ProducerOptions = producerDefaults): Producer {
  return new KafkaProducer(openCluster(connection), options)
}

class KafkaProducer implements Producer {
  readonly #cluster: Cluster
  readonly #connections
  readonly #options: ProducerOptions
  readonly #choice = createPartitionChoice()
  readonly #writers = new Map<string, PartitionWriter[]>()
  readonly #senders = new Map<number, BrokerSender>()
  readonly #emptied: (() => void)[] = []
  readonly #expiring
  #queued = 0
  #queuedBytes = 0
  #isClosed = false

  constructor(cluster: Cluster, options: ProducerOptions) {
    this.#cluster = cluster
    this.#connections = brokerConnections(cluster.connect)
    this.#options = options
    this.#expiring = setInterval(() => this.#expire(performance.now()), expireMs).unref()
  }

  readonly connect = async (): Promise<void> => {
    const brokers = await this.#cluster.brokers().catch(() => [])
    await Promise.allSettled(brokers.map(this.#connections.to))
  }

  readonly send = (record: OutgoingRecord): Promise<StoredAt> => {
    const bytes = recordBytes(record)
    const refusal = this.#refusalOf(bytes)
    if (refusal) return Promise.reject(refusal)
    const { promise, resolve, reject } = Promise.withResolvers<StoredAt>()
    const expiresAt = performance.now() + this.#options.deliveryTimeoutMs
    const entry: Entry = { record, bytes, expiresAt, resolve, reject }
    this.#queued += 1
    this.#queuedBytes += bytes
    const count = this.#cluster.partitions(record.topic)
    if (count !== undefined) this.#enqueue(entry, count)
    else {
      this.#cluster.askForPartitions(record.topic).then(
        (asked) => this.#enqueue(entry, asked),
        (error: unknown) => {
          this.#release(entry)
          reject(kafkaError(error, `writing to ${record.topic}`))
        },
      )
    }
    return promise
  }

  readonly queuedEvents = (): number => this.#queued

  readonly flush = (): Promise<void> =>
    this.#queued === 0 ? Promise.resolve() : new Promise((resolve) => this.#emptied.push(resolve))

  readonly close = async (): Promise<void> => {
    this.#isClosed = true
    clearInterval(this.#expiring)
    this.#expire(Infinity)
    await this.#cluster.close()
  }

  #refusalOf(bytes: number): MillraceError | undefined {
    const { queueEventsMax, queueBytesMax } = this.#options
    if (this.#isClosed) return new MillraceError('kafka.unavailable', 'the producer is closed')
    const refusal = tooLarge(bytes, this.#options)
    if (refusal) return refusal
    if (this.#queued < queueEventsMax && this.#queuedBytes + bytes <= queueBytesMax) return undefined
    const waiting = `${this.#queued} records of ${this.#queuedBytes} bytes wait for Kafka already`
    return new MillraceError('kafka.overloaded', `${waiting}: send it again later`)
  }

  readonly #listener: WriterListener = {
    onSettled: (entry) => this.#release(entry),
    onLeave: ({ topic, partition }) => this.#choice.advance(topic, partition),
  }

  #release({ bytes }: Entry): void {
    this.#queued -= 1
    this.#queuedBytes -= bytes
    if (this.#queued === 0) for (const resolve of this.#emptied.splice(0)) resolve()
  }

  #enqueue(entry: Entry, partitions: number): void {
    const { topic } = entry.record
    // Closed meanwhile, or nothing is known of it after all.
    if (this.#isClosed || partitions === 0) {
      this.#release(entry)
      entry.reject(new MillraceError('kafka.unavailable', `${topic} cannot be written now`))
      return
    }
    const writer = this.#writerOf(topic, this.#choice.choose(entry.record, partitions))
    writer.push(entry)
    this.#dispatch(writer)
  }

  #writerOf(topic: string, partition: number): PartitionWriter {
    const ofTopic = this.#writers.get(topic) ?? []
    if (ofTopic.length === 0) this.#writers.set(topic, ofTopic)
    return (ofTopic[partition] ??= new PartitionWriter(topic, partition, this.#listener))
  }

  /** Sees to it that somebody sees to the writer, if it has something to write. */
  #dispatch(writer: PartitionWriter): void {
    if (this.#isClosed || writer.isScheduled || writer.isEmpty) return
    writer.isScheduled = true
    const leader = this.#cluster.leader(writer.topic, writer.partition)
    if (leader !== undefined) this.#senderTo(leader).offer(writer)
    else {
      writer.attempts += 1
      this.#later(writer, undefined)
    }
  }

  #senderTo(broker: number): BrokerSender {
    const known = this.#senders.get(broker)
    if (known) return known
    const made = new BrokerSender(broker, this.#connections, this.#options, (writer, outcome) =>
      this.#onOutcome(writer, outcome, broker),
    )
    this.#senders.set(broker, made)
    return made
  }

  #onOutcome(writer: PartitionWriter, outcome: Outcome | undefined, broker: number): void {
    if (outcome?.kind === 'unreachable') this.#unreachable(writer, outcome.error, broker)
    else if (outcome === undefined || this.#isSettled(writer, outcome)) this.#done(writer)
    else this.#later(writer, broker)
  }

  /** @returns whether the writer can go on at once */
  #isSettled(writer: PartitionWriter, outcome: Exclude<Outcome, { kind: 'unreachable' }>): boolean {
    const { batch } = outcome
    if (outcome.kind === 'unanswered') {
      writer.again(batch, true)
      return false
    }
    const { errorCode, errorMessage, baseOffset, leader } = outcome.answer
    const failure = () => kafkaError(protocolError(errorCode, errorMessage), `writing to ${writer.topic}`)
    const verdict = verdictOf(errorCode)
    switch (verdict) {
      case 'stored':
        writer.stored(batch, baseOffset)
        return true
      case 'lost':
        writer.lost(batch)
        return true
      case 'unfit':
        writer.unfit(batch, failure())
        return true
      case 'refused':
        writer.refused(batch, failure())
        return true
      case 'disowned':
        writer.disowned(batch)
        return false
      case 'again':
      case 'maybe':
        if (leader) this.#cluster.learn(writer.topic, writer.partition, leader)
        writer.again(batch, verdict === 'maybe')
        if (writer.attempts < unknownTopicAttemptsMax || failure().code !== 'kafka.unknown-topic') return false
        writer.refused(batch, failure())
        return true
    }
  }

  #unreachable(writer: PartitionWriter, error: unknown, broker: number): void {
    const failure = kafkaError(error, `writing to ${writer.topic}`)
    if (!failure.retryable) writer.refuseAll(failure)
    writer.attempts += 1
    this.#later(writer, broker)
  }

  #done(writer: PartitionWriter): void {
    writer.isScheduled = false
    this.#dispatch(writer)
  }

  /** The next attempt is made when another broker leads the partition, or after a while. Records without a key need not wait for it. */
  #later(writer: PartitionWriter, broker: number | undefined): void {
    const { topic, partition, attempts } = writer
    this.#choice.advance(topic, partition)
    void this.#cluster.anotherLeader(topic, partition, broker, backoffMs(attempts)).then((isAnother) => {
      if (isAnother) writer.attempts = 0
      this.#done(writer)
    })
  }

  #expire(now: number): void {
    for (const ofTopic of this.#writers.values()) ofTopic.forEach((writer) => writer.expire(now))
  }
}
