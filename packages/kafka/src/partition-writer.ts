import { MillraceError } from '@millrace/core/errors'
import { type BatchLimits, fittingIn, sequenceMax } from './batch-limits.ts'
import type { PartitionBatch, ProducerId } from './produce.ts'
import type { OutgoingRecord, StoredAt } from './record.ts'
import { encodeBatch } from './record-batch.ts'

/** A record that waits for its answer. */
export type Entry = {
  readonly record: OutgoingRecord
  readonly bytes: number
  /** When it is answered "not confirmed" at the latest, in ms as `performance.now()` counts. */
  readonly expiresAt: number
  readonly resolve: (stored: StoredAt) => void
  readonly reject: (error: MillraceError) => void
}

/** What was sent together. It is sent again as it is, byte for byte, since that is how a broker knows it. */
export type Batch = PartitionBatch & { readonly entries: readonly Entry[] }

export type WriterListener = {
  /** Told of every entry once, when it has its answer. */
  readonly onSettled: (entry: Entry) => void
  /** A batch was made of what waited. */
  readonly onLeave: (writer: PartitionWriter) => void
}

/**
 * The records of one partition, in order, and who they are written as. One batch is under way at a time. A batch that may be stored is
 * sent again under the same producer id and sequence number until it is known to be; when that is given up, the sequence has a hole, so
 * the next batch has another producer id. Nothing is ever sent twice under two.
 */
export class PartitionWriter {
  readonly topic: string
  readonly partition: number
  /** How often in a row the batch, or the try to send it, has failed. */
  attempts = 0
  /** Somebody sees to it: it waits for a producer id, for its broker, for an answer or for its next attempt. */
  isScheduled = false

  readonly #listener: WriterListener
  #waiting: Entry[] = []
  #batch: Batch | undefined
  /** An earlier attempt had no answer, or one that leaves open whether the batch is stored. */
  #mayBeStored = false
  /** How many records the next batches may have, the very next last: the halves of batches that were refused. */
  readonly #parts: number[] = []
  readonly #settled = new WeakSet<Entry>()
  #producerId: ProducerId | undefined
  #sequence = 0

  constructor(topic: string, partition: number, listener: WriterListener) {
    this.topic = topic
    this.partition = partition
    this.#listener = listener
  }

  get isEmpty(): boolean {
    return this.#batch === undefined && this.#waiting.length === 0
  }

  get isIdentified(): boolean {
    return this.#producerId !== undefined
  }

  push(entry: Entry): void {
    this.#waiting.push(entry)
  }

  /** From now on it writes as this producer. */
  identify(producerId: ProducerId): void {
    this.#producerId = producerId
    this.#sequence = 0
  }

  /** The batch to be sent: the one that has no answer yet, or else the next. */
  take(limits: BatchLimits): Batch | undefined {
    this.#batch ??= this.#nextBatch(limits)
    return this.#batch
  }

  #nextBatch(limits: BatchLimits): Batch | undefined {
    if (this.#producerId === undefined || this.#waiting.length === 0) return undefined
    const fitting = fittingIn(this.#waiting, (entry) => entry.bytes, limits)
    // Of a batch that was refused, no part goes together with what came after it.
    const entries = this.#waiting.slice(0, Math.min(fitting, this.#parts.pop() ?? fitting))
    const records = entries.map(({ record }) => record)
    const bytes = encodeBatch(records, { ...this.#producerId, sequence: this.#sequence })
    this.#waiting.splice(0, entries.length)
    this.#listener.onLeave(this)
    return { topic: this.topic, partition: this.partition, bytes, entries }
  }

  stored(batch: Batch, baseOffset: bigint): void {
    if (batch !== this.#batch) return // given up meanwhile
    this.#sequence = (this.#sequence + batch.entries.length) & sequenceMax
    this.#end()
    batch.entries.forEach((entry, index) =>
      this.#settle(entry, () => entry.resolve({ partition: this.partition, offset: baseOffset + BigInt(index) })),
    )
  }

  /** The batch is to be sent again; `mayBeStored` when the attempt leaves open what became of it. */
  again(batch: Batch, mayBeStored: boolean): void {
    if (batch !== this.#batch) return
    this.attempts += 1
    this.#mayBeStored ||= mayBeStored
  }

  /** The broker does not take batches by this producer id in this order any more. */
  disowned(batch: Batch): void {
    if (batch !== this.#batch) return
    this.#producerId = undefined
    if (this.#mayBeStored) this.#giveUp(batch)
    else {
      this.#waiting = [...batch.entries.filter((entry) => !this.#settled.has(entry)), ...this.#waiting]
      this.#batch = undefined
      this.attempts += 1
    }
  }

  /** The batch is not taken for what one of its records is, or they are together: several are sent again in halves, until it is one. */
  unfit(batch: Batch, error: MillraceError): void {
    if (batch !== this.#batch || this.#mayBeStored || batch.entries.length === 1) this.refused(batch, error)
    else this.#halve(batch)
  }

  /** The batch is not taken, for a reason of its own. */
  refused(batch: Batch, error: MillraceError): void {
    if (batch !== this.#batch) return
    if (this.#mayBeStored) this.#giveUp(batch)
    else {
      this.#end()
      for (const entry of batch.entries) this.#settle(entry, () => entry.reject(error))
    }
  }

  /** Where the batch is cannot be found out. */
  lost(batch: Batch): void {
    if (batch === this.#batch) this.#giveUp(batch)
  }

  /** Nothing can be written at all. */
  refuseAll(error: MillraceError): void {
    if (this.#batch) this.refused(this.#batch, error)
    for (const entry of this.#waiting.splice(0)) this.#settle(entry, () => entry.reject(error))
  }

  /** Answers those whose time is over, and gives a batch up when that is all of it. */
  expire(now: number): void {
    const firstAlive = this.#waiting.findIndex(({ expiresAt }) => expiresAt > now)
    const expired = this.#waiting.splice(0, firstAlive === -1 ? this.#waiting.length : firstAlive)
    for (const entry of expired) this.#notConfirmed(entry)
    if (!this.#batch) return
    const { entries } = this.#batch
    for (const entry of entries) {
      if (entry.expiresAt > now) return
      this.#notConfirmed(entry)
    }
    this.#giveUp(this.#batch)
  }

  #halve(batch: Batch): void {
    const alive = batch.entries.filter((entry) => !this.#settled.has(entry))
    this.#waiting = [...alive, ...this.#waiting]
    this.#end()
    const half = Math.ceil(alive.length / 2)
    this.#parts.push(...[alive.length - half, half].filter((part) => part > 0))
  }

  #giveUp(batch: Batch): void {
    this.#producerId = undefined
    this.#end()
    for (const entry of batch.entries) this.#notConfirmed(entry)
  }

  #end(): void {
    this.#batch = undefined
    this.#mayBeStored = false
    this.attempts = 0
  }

  #notConfirmed(entry: Entry): void {
    this.#settle(entry, () => entry.reject(notConfirmed(this.topic)))
  }

  #settle(entry: Entry, answer: () => void): void {
    if (this.#settled.has(entry)) return
    this.#settled.add(entry)
    this.#listener.onSettled(entry)
    answer()
  }
}

function notConfirmed(topic: string): MillraceError {
  const message = `Kafka did not confirm a record of ${topic} in time: it may be stored or not, send it again`
  return new MillraceError('kafka.not-confirmed', message)
}
