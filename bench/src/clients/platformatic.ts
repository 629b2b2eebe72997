/** The producer of the client library whose connections and coding of requests our own producer uses. */
import { partitionForKey } from '@millrace/core/partitioner'
import { ProduceAcks, Producer, type ProduceResult } from '@platformatic/kafka'
import { connectionOf } from '../kafka-settings.ts'
import { byPartition, type Client, each, type OpenClient, placesFrom } from './client.ts'

/** Its own are 3 retries, 1 s apart: over before a broker that died has lost its session. */
const patience = { retries: 20, retryDelay: 500 } as const

type Variant = { readonly patient: boolean; readonly onePartitionASend: boolean }

export function openPlatformatic({ patient, onePartitionASend }: Variant): OpenClient {
  return async ({ topic, partitions, kafka }) => {
    const { clientId, bootstrapServers, caPem, username, password } = await connectionOf(kafka)
    const producer = new Producer({
      clientId,
      bootstrapBrokers: [...bootstrapServers],
      tls: { ca: [caPem] },
      sasl: { mechanism: 'SCRAM-SHA-512', username, password },
      idempotent: true,
      acks: ProduceAcks.ALL,
      ...(patient ? patience : {}),
    })
    const send: Client['send'] = (records) => {
      const messages = records.map(({ key, value, headers }) => {
        // Its own choice is not that of Kafka's default partitioner.
        const partition = partitionForKey(key, partitions)
        return { topic, partition, key, value, headers: buffersOf(headers) }
      })
      const answer = producer.send({ messages })
      return each(
        records,
        answer.then((result) => placesFrom(firstOffsets(result), records, partitions)),
      )
    }
    return { send: onePartitionASend ? byPartition(send, partitions) : send }
  }
}

function firstOffsets({ offsets = [] }: ProduceResult): Map<number, number> {
  return new Map(offsets.map(({ partition, offset }) => [partition, Number(offset)]))
}

function buffersOf(headers: Readonly<Record<string, string>>): Map<Buffer, Buffer> {
  return new Map(Object.entries(headers).map(([name, value]) => [Buffer.from(name), Buffer.from(value)]))
}
