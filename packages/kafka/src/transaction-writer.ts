/** The records of one transaction after another: in order per partition, each batch sent again as it is until the broker has it. */
import { setTimeout as sleep } from 'node:timers/promises'
import { MillraceError } from '@millrace/core/errors'
import { backoffMs } from './backoff.ts'
import { batchLimits, fittingIn, sequenceMax, tooLarge } from './batch-limits.ts'
import type { BrokerConnections } from './broker-connections.ts'
import type { Cluster } from './cluster.ts'
import { kafkaError } from './errors.ts'
import { createPartitionChoice } from './partition-choice.ts'
import { type PartitionAnswer, type PartitionBatch, produce, type ProducerId } from './produce.ts'
import { protocolError, verdictOf } from './produce-verdict.ts'
import { type OutgoingRecord, recordBytes } from './record.ts'
import { encodeBatch } from './record-batch.ts'

export type TransactionWriter = {
  /** From now on it writes as this producer, with sequence numbers from 0. */
  readonly begin: (identity: ProducerId) => void
  /**
   * Chooses the partitions of records.
   * @throws MillraceError 'kafka.unknown-topic' | 'kafka.unavailable' | 'kafka.refused' | 'kafka.too-large'
   */
  readonly assign: (records: readonly OutgoingRecord[]) => Promise<Assigned>
}

export type Assigned = {
  /** By topic. */
  readonly partitions: ReadonlyMap<string, readonly number[]>
  /**
   * Tries for so long.
   * @throws MillraceError when not all of it is stored; then the transaction is to be aborted
   */
  readonly store: (deadlineMs: number) => Promise<void>
}

const replicasTimeoutMs = 3_000

type PartitionRecords = { readonly topic: string; readonly partition: number; readonly records: OutgoingRecord[] }

export function createTransactionWriter(
  cluster: Cluster,
  connections: BrokerConnections,
  transactionalId: string,
): TransactionWriter {
  const choice = createPartitionChoice()
  const sequences = new Map<string, number>()
  let identity: ProducerId = { producerId: -1n, producerEpoch: -1 }

  const encoded = ({ topic, partition, records }: PartitionRecords): PartitionBatch[] => {
    const place = `${topic}/${partition}`
    return chunks(records).map((chunk) => {
      const sequence = sequences.get(place) ?? 0
      sequences.set(place, (sequence + chunk.length) & sequenceMax)
      return { topic, partition, bytes: encodeBatch(chunk, { ...identity, sequence, isTransactional: true }) }
    })
  }

  /** One batch of each partition at a time. */
  const store = async (places: readonly PartitionRecords[], deadlineMs: number): Promise<void> => {
    const endMs = performance.now() + deadlineMs
    const left = places.map(encoded).filter((batches) => batches.length > 0)
    for (let attempts = 0; left.length > 0;) {
      const heads = left.flatMap(([head]) => head ?? [])
      const stored = new Set(await storedOf(heads))
      for (const batches of left) if (batches[0] && stored.has(batches[0])) batches.shift()
      left.splice(0, left.length, ...left.filter((batches) => batches.length > 0))
      if (stored.size === heads.length) continue
      if (performance.now() > endMs) {
        throw new MillraceError('kafka.unavailable', 'the records of a transaction were not stored in time')
      }
      await cluster.refresh()
      await sleep(backoffMs(attempts))
      attempts += 1
    }
  }

  const storedOf = async (batches: readonly PartitionBatch[]): Promise<PartitionBatch[]> => {
    const byLeader = Map.groupBy(batches, ({ topic, partition }) => cluster.leader(topic, partition) ?? nobody)
    byLeader.delete(nobody)
    return allOf([...byLeader].map(([leader, ofLeader]) => sendTo(leader, ofLeader)))
  }

  /** @returns those that are stored; the others may be, and are to be sent again */
  const sendTo = async (leader: number, batches: readonly PartitionBatch[]): Promise<PartitionBatch[]> => {
    const connection = await connections.to(leader).catch(() => undefined)
    if (!connection) return []
    const answers = await produce(connection, replicasTimeoutMs, batches, transactionalId).catch(() => undefined)
    if (!answers) {
      connections.drop(connection)
      return []
    }
    for (const { topic, partition, leader: told } of answers) if (told) cluster.learn(topic, partition, told)
    return batches.filter((batch) => isStored(batch, answers))
  }

  return {
    begin: (given) => {
      identity = given
      sequences.clear()
    },
    assign: async (records) => {
      for (const topic of new Set(records.map((record) => record.topic))) {
        if (cluster.partitions(topic) === undefined) await cluster.askForPartitions(topic)
      }
      const places = new Map<string, PartitionRecords>()
      for (const record of records) {
        const refusal = tooLarge(recordBytes(record), batchLimits)
        if (refusal) throw refusal
        const { topic } = record
        const count = cluster.partitions(topic) ?? 0
        if (count === 0) throw new MillraceError('kafka.unavailable', `${topic} cannot be written now`)
        const partition = choice.choose(record, count)
        const place = `${topic}/${partition}`
        const found = places.get(place) ?? { topic, partition, records: [] }
        places.set(place, found)
        found.records.push(record)
      }
      const all = [...places.values()]
      for (const { topic, partition } of all) choice.advance(topic, partition)
      const byTopic = Map.groupBy(all, ({ topic }) => topic)
      const partitions = new Map([...byTopic].map(([topic, of]) => [topic, of.map(({ partition }) => partition)]))
      return { partitions, store: (deadlineMs) => store(all, deadlineMs) }
    },
  }
}

/** Waits until all have ended, also when one fails: nothing is under way when the transaction is aborted. */
async function allOf<T>(lists: readonly Promise<readonly T[]>[]): Promise<T[]> {
  const outcomes = await Promise.allSettled(lists)
  return outcomes.flatMap((outcome) => {
    if (outcome.status === 'rejected') throw outcome.reason
    return outcome.value
  })
}

const nobody = -1

/** @throws MillraceError when it is not, nor will be */
function isStored({ topic, partition }: PartitionBatch, answers: readonly PartitionAnswer[]): boolean {
  const answer = answers.find((one) => one.topic === topic && one.partition === partition)
  if (!answer) return false
  switch (verdictOf(answer.errorCode)) {
    case 'stored':
    case 'lost': // it is stored: where does not matter here
      return true
    case 'again':
    case 'maybe':
      return false
    case 'disowned':
    case 'unfit':
    case 'refused':
      throw kafkaError(protocolError(answer.errorCode, answer.errorMessage), `writing to ${topic}`)
  }
}

function chunks(records: readonly OutgoingRecord[]): OutgoingRecord[][] {
  const all: OutgoingRecord[][] = []
  for (let left = records; left.length > 0;) {
    const count = fittingIn(left, recordBytes, batchLimits)
    all.push(left.slice(0, count))
    left = left.slice(count)
  }
  return all
}
