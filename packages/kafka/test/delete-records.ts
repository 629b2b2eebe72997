import { Admin as Client } from '@platformatic/kafka'
import { clientOptions, type KafkaConnection } from '../src/connection.ts'

/** Takes the records before an offset from a partition, as retention does in time. */
export async function deleteRecords(
  connection: KafkaConnection,
  topic: string,
  partition: number,
  before: bigint,
): Promise<void> {
  const client = new Client(clientOptions(connection, { connectTimeoutMs: 5_000, requestTimeoutMs: 10_000 }))
  try {
    await client.deleteRecords({ topics: [{ name: topic, partitions: [{ partition, offset: before }] }] })
  } finally {
    await client.close()
  }
}
