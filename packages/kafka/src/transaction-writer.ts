/** The records of one transaction after another, in order per partition. */
import { MillraceError } from '@millrace/core/errors'
import { batchLimits, fittingIn, sequenceMax, tooLarge } from './batch-limits.ts'
import type { BrokerConnections } from './broker-connections.ts'
import type { Cluster } from './cluster.ts'
import { createPartitionChoice } from './partition-choice.ts'
import type { PartitionBatch, ProducerId } from './produce.ts'
import { type OutgoingRecord, recordBytes } from './record.ts'
import { encodeBatch } from './record-batch.ts'
import { createBatchStore } from './batch-store.ts'

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

  const store = createBatchStore(cluster, connections, transactionalId)

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
      return { partitions, store: (deadlineMs) => store(all.map(encoded), deadlineMs) }
    },
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
