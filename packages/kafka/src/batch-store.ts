import { MillraceError } from '@millrace/core/errors'
import { backoffMs } from './backoff.ts'
import type { BrokerConnections } from './broker-connections.ts'
import type { Cluster } from './cluster.ts'
import { kafkaError } from './errors.ts'
import { leaderless } from './leaders.ts'
import { type PartitionAnswer, type PartitionBatch, produce } from './produce.ts'
import { protocolError, verdictOf } from './produce-verdict.ts'

/**
 * Stores the batches of partitions, of each one at a time, and sends each again as it is until its leader has it. No attempt begins after
 * `deadlineMs`; the last takes 12 s at most.
 * @throws MillraceError when not all are stored: 'kafka.unavailable' in time, or what a broker says of one that it does not take
 */
export type BatchStore = (partitions: readonly (readonly PartitionBatch[])[], deadlineMs: number) => Promise<void>

const replicasTimeoutMs = 3_000

/** The first batch of a partition that is not stored yet, and who leads that as far as is known. */
type Head = { readonly batch: PartitionBatch; readonly leader: number | undefined }

/** @param transactionalId whose transaction they are part of */
export function createBatchStore(
  cluster: Cluster,
  connections: BrokerConnections,
  transactionalId: string,
): BatchStore {
  const storedOf = async (heads: readonly Head[]): Promise<PartitionBatch[]> => {
    const byLeader = Map.groupBy(heads, ({ leader = leaderless }) => leader)
    byLeader.delete(leaderless)
    const sending = [...byLeader].map(([leader, of]) =>
      sendTo(
        leader,
        of.map(({ batch }) => batch),
      ),
    )
    return allOf(sending)
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

  return async (partitions, deadlineMs) => {
    const endMs = performance.now() + deadlineMs
    const left = partitions.map((batches) => [...batches]).filter((batches) => batches.length > 0)
    for (let attempts = 0; left.length > 0;) {
      const heads = left.flatMap(([batch]) =>
        batch ? [{ batch, leader: cluster.leader(batch.topic, batch.partition) }] : [],
      )
      const stored = new Set(await storedOf(heads))
      for (const batches of left) if (batches[0] && stored.has(batches[0])) batches.shift()
      left.splice(0, left.length, ...left.filter((batches) => batches.length > 0))
      const missing = heads.filter(({ batch }) => !stored.has(batch))
      if (missing.length === 0) continue
      if (performance.now() > endMs) {
        throw new MillraceError('kafka.unavailable', 'the records of a transaction were not stored in time')
      }
      const waits = missing.map(({ batch: { topic, partition }, leader }) =>
        cluster.anotherLeader(topic, partition, leader, backoffMs(attempts)),
      )
      attempts = (await Promise.all(waits)).every(Boolean) ? 0 : attempts + 1
    }
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
