/**
 * Stores records, and how far a consumer group has come where that is said, together or not at all: Kafka's transactions, one at a time.
 *
 * Whoever opens a producer with a transactional id takes it over: what its former holder left open is aborted, and that one is fenced, so
 * that it can commit nothing any more. Afterwards the id and epoch that were given are always named, so a fenced producer stays fenced.
 * (The client library names none in its take-over, 2.12.1, and the former holder goes on.)
 * @see https://cwiki.apache.org/confluence/display/KAFKA/KIP-447
 */
import { MillraceError } from '@millrace/core/errors'
import {
  addOffsetsToTxnV4,
  addPartitionsToTxnV3,
  endTxnV4,
  initProducerIdV5,
  txnOffsetCommitV4,
} from '@platformatic/kafka'
import { brokerConnections } from './broker-connections.ts'
import { openCluster } from './cluster.ts'
import type { KafkaConnection } from './connection.ts'
import { type Coordinator, coordinatorOf } from './coordinator.ts'
import { kafkaError, protocolErrors } from './errors.ts'
import type { CommittedOffsets, MemberIdentity } from './group-member.ts'
import type { ProducerId } from './produce.ts'
import type { OutgoingRecord } from './record.ts'
import { type Assigned, createTransactionWriter, type TransactionWriter } from './transaction-writer.ts'

/** How far a group has come in some partitions of a topic, and the member that says so. */
export type GroupOffsets = {
  readonly group: string
  readonly topic: string
  readonly member: MemberIdentity
  readonly offsets: CommittedOffsets
}

export type TransactionalProducer = {
  /**
   * One transaction.
   * @returns `stale` when the group does not take offsets of this epoch of the member's: nothing is stored then
   * @throws MillraceError 'kafka.fenced' when another producer has taken over; 'kafka.not-confirmed' when it may be committed or not, and
   * only a new producer can tell, also when it took longer than the brokers wait for it; any other when nothing is stored
   */
  readonly commit: (records: readonly OutgoingRecord[], offsets?: GroupOffsets) => Promise<'committed' | 'stale'>
  readonly close: () => Promise<void>
}

/** After this time, or up to 10 s later when they look for such, the brokers abort what its producer left open. */
const transactionTimeoutMs = 30_000
/** Everything before the commit, together. A last attempt may begin just before: with its connection it takes 6 s, seldom more. */
const fillDeadlineMs = 18_000
const commitDeadlineMs = 60_000
const unknown = { id: -1n, epoch: -1 } as const

/** The last is said of a commit while the transaction is being aborted for somebody else. */
const fencedBy = ['PRODUCER_FENCED', 'INVALID_PRODUCER_EPOCH', 'INVALID_TXN_STATE'] as const
const staleBy = ['ILLEGAL_GENERATION', 'STALE_MEMBER_EPOCH', 'FENCED_MEMBER_EPOCH', 'UNKNOWN_MEMBER_ID'] as const

/**
 * Opens the producer of a transactional id, taking it over from whoever has it.
 * @throws MillraceError 'kafka.unavailable' | 'kafka.refused'
 */
export async function openTransactionalProducer(
  connection: KafkaConnection,
  transactionalId: string,
): Promise<TransactionalProducer> {
  const cluster = openCluster(connection)
  const connections = brokerConnections(cluster.connect)
  const coordinator = coordinatorOf({ kind: 'transaction', id: transactionalId }, cluster, connections)
  const groups = (group: string) => coordinatorOf({ kind: 'group', id: group }, cluster, connections)
  const writer = createTransactionWriter(cluster, connections, transactionalId)
  try {
    const identity = await initialized(coordinator, transactionalId, undefined)
    return new Transactions(transactionalId, identity, { coordinator, groups, writer, close: cluster.close })
  } catch (error) {
    await cluster.close()
    throw error
  }
}

type Parts = {
  readonly coordinator: Coordinator
  readonly groups: (group: string) => Coordinator
  readonly writer: TransactionWriter
  readonly close: () => Promise<void>
}

class Transactions implements TransactionalProducer {
  readonly #id: string
  readonly #parts: Parts
  readonly #groups = new Map<string, Coordinator>()
  #identity: ProducerId
  /** When the transaction began, not later than for its coordinator, as `performance.now()` counts. */
  #beganMs = 0

  constructor(transactionalId: string, identity: ProducerId, parts: Parts) {
    this.#id = transactionalId
    this.#identity = identity
    this.#parts = parts
    parts.writer.begin(identity)
  }

  readonly close = (): Promise<void> => this.#parts.close()

  readonly commit = async (
    records: readonly OutgoingRecord[],
    offsets?: GroupOffsets,
  ): Promise<'committed' | 'stale'> => {
    const assigned = await this.#parts.writer.assign(records)
    this.#beganMs = performance.now()
    try {
      await this.#fill(assigned, offsets)
    } catch (error) {
      return this.#abort(error)
    }
    await this.#end(true)
    return 'committed'
  }

  async #fill(assigned: Assigned, offsets: GroupOffsets | undefined): Promise<void> {
    await this.#announce(assigned.partitions, offsets?.group)
    const [stored, noted] = await Promise.allSettled([assigned.store(this.#leftMs()), offsets && this.#note(offsets)])
    // Both have ended: nothing of this transaction is under way when it is ended.
    for (const outcome of [noted, stored]) if (outcome.status === 'rejected') throw outcome.reason
  }

  /** How much time there is before the commit. */
  #leftMs(): number {
    return Math.max(0, this.#beganMs + fillDeadlineMs - performance.now())
  }

  /** Tells the coordinator what the transaction will hold. */
  async #announce(partitions: ReadonlyMap<string, readonly number[]>, group: string | undefined): Promise<void> {
    const { producerId, producerEpoch } = this.#identity
    const topics = [...partitions].map(([name, indexes]) => ({ name, partitions: [...indexes] }))
    const transaction = { transactionalId: this.#id, producerId, producerEpoch, verifyOnly: false, topics }
    if (topics.length > 0) {
      await this.#parts.coordinator.ask('adding partitions to a transaction', this.#leftMs(), (to) =>
        addPartitionsToTxnV3.api.async(to, [transaction]),
      )
    }
    if (group === undefined) return
    await this.#parts.coordinator.ask('adding offsets to a transaction', this.#leftMs(), (to) =>
      addOffsetsToTxnV4.api.async(to, this.#id, producerId, producerEpoch, group),
    )
  }

  async #note({ group, topic, member, offsets }: GroupOffsets): Promise<void> {
    const { producerId, producerEpoch } = this.#identity
    const partitions = [...offsets].map(([partitionIndex, { offset, metadata }]) => ({
      partitionIndex,
      committedOffset: offset,
      committedLeaderEpoch: -1,
      committedMetadata: metadata,
    }))
    const { memberId, memberEpoch } = member
    const coordinator = this.#groups.get(group) ?? this.#parts.groups(group)
    this.#groups.set(group, coordinator)
    await coordinator.ask(`noting offsets of ${group}`, this.#leftMs(), (to) =>
      txnOffsetCommitV4.api.async(to, this.#id, group, producerId, producerEpoch, memberEpoch, memberId, null, [
        { name: topic, partitions },
      ]),
    )
  }

  /** Undoes what was prepared. What was sent may have used up sequence numbers or not, so the next transaction has another epoch. */
  async #abort(error: unknown): Promise<'stale'> {
    await this.#end(false)
    try {
      this.#identity = await initialized(this.#parts.coordinator, this.#id, this.#identity)
    } catch (failure) {
      throw this.#unsettled(failure)
    }
    this.#parts.writer.begin(this.#identity)
    const told = protocolErrors(error)
    if (staleBy.some((name) => told.has(name))) return 'stale'
    throw kafkaError(error, `a transaction of ${this.#id}`)
  }

  async #end(isCommitted: boolean): Promise<void> {
    const { producerId, producerEpoch } = this.#identity
    try {
      await this.#parts.coordinator.ask('ending a transaction', commitDeadlineMs, (to) =>
        endTxnV4.api.async(to, this.#id, producerId, producerEpoch, isCommitted),
      )
    } catch (error) {
      // The coordinator was told of nothing that could be undone.
      if (!isCommitted && protocolErrors(error).has('INVALID_TXN_STATE')) return
      throw this.#unsettled(error)
    }
  }

  /** One that took too long is fenced by its coordinator, as by who takes over: then only a take-over tells the two apart. */
  #unsettled(error: unknown): MillraceError {
    const told = protocolErrors(error)
    const isOver = performance.now() - this.#beganMs > transactionTimeoutMs
    if (!isOver && fencedBy.some((name) => told.has(name))) {
      return new MillraceError('kafka.fenced', 'another producer has taken over the transactional id', { cause: error })
    }
    const { message } = kafkaError(error, 'ending a transaction')
    return new MillraceError('kafka.not-confirmed', `${message}: it may be committed or not`, { cause: error })
  }
}

/** Takes an id over; or, once it is held, asks for the next epoch of it. */
async function initialized(
  coordinator: Coordinator,
  transactionalId: string,
  held: ProducerId | undefined,
): Promise<ProducerId> {
  const { producerId = unknown.id, producerEpoch = unknown.epoch } = held ?? {}
  return coordinator.ask(`taking over the transactional id ${transactionalId}`, commitDeadlineMs, (to) =>
    initProducerIdV5.api.async(to, transactionalId, transactionTimeoutMs, producerId, producerEpoch),
  )
}
