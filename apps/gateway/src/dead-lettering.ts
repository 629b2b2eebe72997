/**
 * Keeps events that passed validation and that the cluster, while it answers, will not store: too large for their topic, without the key that
 * a compacted one asks for. With Kafka away nothing is kept: whoever sends again is all that there is then.
 */
import type { CatalogEntry } from '@millrace/core/catalog'
import { MillraceError } from '@millrace/core/errors'
import { deadLetterOf } from '@millrace/kafka/dead-letters'
import { protocolErrors } from '@millrace/kafka/errors'
import { type OutgoingRecord, type Producer, producerDefaults, type ProducerOptions } from '@millrace/kafka/producer'
import type { Sealing } from '@millrace/kafka/sealing'
import { createLru } from './lru.ts'
import type { GatewayMetrics } from './metrics.ts'
import type { Problem } from './problem.ts'

export type Kept = NonNullable<Problem['deadLetter']>

/** The cluster did not store an event, for a reason of its own; it is in the dead letter topic now. */
export class DeadLettered extends Error {
  readonly place: Kept

  constructor(cause: MillraceError, place: Kept) {
    super(cause.message, { cause })
    this.place = place
  }
}

export type DeadLetters = {
  /**
   * What whoever sent the event is told of its failure: that it is kept, where the failure is one for which it is and it could be.
   * Never rejects.
   */
  readonly keep: (entry: CatalogEntry, record: OutgoingRecord, failure: unknown) => Promise<unknown>
}

/** Room for what a dead letter has beside a record of the largest size, and no time for more than a few attempts: somebody waits. */
export const deadLetterProducer: ProducerOptions = {
  ...producerDefaults,
  queueEventsMax: 1_000,
  queueBytesMax: 32 * 1_048_576,
  deliveryTimeoutMs: 4_000,
  batchBytesMax: 2_000_000,
}

/** Of these a retry that fails again is not kept again. */
const keptMax = { entriesMax: 10_000, keysLengthMax: 4_194_304 }

export function createDeadLetters(
  producer: Pick<Producer, 'send'>,
  sealing: Sealing,
  metrics: Pick<GatewayMetrics, 'deadLettered'>,
  onFault: (error: unknown) => void,
): DeadLetters {
  const kept = createLru<Kept>(keptMax)

  async function write(
    { type, sensitive }: CatalogEntry,
    record: OutgoingRecord,
    failure: MillraceError,
  ): Promise<Kept> {
    const { topic, key, value, headers, timestampMs } = record
    const failedAtMs = Date.now()
    const reason = protocolErrors(failure).has('MESSAGE_TOO_LARGE') ? 'too-large' : 'publish-failed'
    const letter = deadLetterOf(
      { topic, key, value, headers, timestampMs },
      { by: 'gateway', reason, detail: failure.message, attempts: 1, firstFailedAtMs: failedAtMs, failedAtMs },
      sensitive.length > 0 ? sealing : undefined,
    )
    const { partition, offset } = await producer.send(letter)
    metrics.deadLettered.inc({ type, reason })
    return { topic: letter.topic, partition, offset: Number(offset) }
  }

  return {
    keep: async (entry, record, failure) => {
      if (!(failure instanceof MillraceError) || !isOfTheRecord(failure)) return failure
      const identity = JSON.stringify([record.topic, record.headers.get('ce_source'), record.headers.get('ce_id')])
      const before = kept.get(identity)
      if (before) return new DeadLettered(failure, before)
      try {
        const place = await write(entry, record, failure)
        kept.set(identity, place)
        return new DeadLettered(failure, place)
      } catch (error) {
        onFault(error)
        return failure
      }
    },
  }
}

function isOfTheRecord({ code }: MillraceError): boolean {
  return code === 'kafka.unfit' || code === 'kafka.refused'
}
