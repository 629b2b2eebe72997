import { addOffsetsToTxnV4, endTxnV4, initProducerIdV5, txnOffsetCommitV4 } from '@platformatic/kafka'
import { brokerConnections } from '../src/broker-connections.ts'
import { openCluster } from '../src/cluster.ts'
import type { KafkaConnection } from '../src/connection.ts'
import { coordinatorOf } from '../src/coordinator.ts'

const timeoutMs = 300_000
const deadlineMs = 20_000

/**
 * Leaves a transaction open in which a group has come to offset 1 of a partition, as a worker does that dies half-way.
 * @returns what aborts it
 */
export async function openTransaction(
  connection: KafkaConnection,
  group: string,
  topic: string,
  partitionIndex: number,
): Promise<() => Promise<void>> {
  const id = `${group}-open`
  const cluster = openCluster(connection)
  const connections = brokerConnections(cluster.connect)
  const transactions = coordinatorOf({ kind: 'transaction', id }, cluster, connections)
  const groups = coordinatorOf({ kind: 'group', id: group }, cluster, connections)
  const { producerId, producerEpoch } = await transactions.ask('opening', deadlineMs, (to) =>
    initProducerIdV5.api.async(to, id, timeoutMs, -1n, -1),
  )
  await transactions.ask('adding', deadlineMs, (to) =>
    addOffsetsToTxnV4.api.async(to, id, producerId, producerEpoch, group),
  )
  const noted = { partitionIndex, committedOffset: 1n, committedLeaderEpoch: -1, committedMetadata: '' }
  await groups.ask('noting', deadlineMs, (to) =>
    txnOffsetCommitV4.api.async(to, id, group, producerId, producerEpoch, -1, '', null, [
      { name: topic, partitions: [noted] },
    ]),
  )
  return async () => {
    await transactions.ask('aborting', deadlineMs, (to) => endTxnV4.api.async(to, id, producerId, producerEpoch, false))
    await cluster.close()
  }
}
