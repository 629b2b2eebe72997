import kafkajs from 'kafkajs'
import { connectionOf } from '../kafka-settings.ts'
import { byPartition, type Client, each, type OpenClient, placesFrom } from './client.ts'

type Variant = { readonly maxInFlightRequests: number; readonly onePartitionASend: boolean }

/** Its own second is too short for TLS and SCRAM where all clients connect at once. */
const connectionTimeoutMs = 5_000

/** Its retries are left alone: it says that an idempotent producer must not be limited in them. */
export function openKafkajs({ maxInFlightRequests, onePartitionASend }: Variant): OpenClient {
  return async ({ topic, partitions, kafka }) => {
    const { clientId, bootstrapServers, caPem, username, password } = await connectionOf(kafka)
    const client = new kafkajs.Kafka({
      clientId,
      brokers: [...bootstrapServers],
      ssl: { ca: [caPem] },
      sasl: { mechanism: 'scram-sha-512', username, password },
      connectionTimeout: connectionTimeoutMs,
      logLevel: kafkajs.logLevel.NOTHING,
    })
    const producer = client.producer({
      createPartitioner: kafkajs.Partitioners.DefaultPartitioner,
      idempotent: true,
      maxInFlightRequests,
    })
    await producer.connect()
    const send: Client['send'] = (records) => {
      const messages = records.map(({ key, value, headers }) => ({ key, value, headers: { ...headers } }))
      const answer = producer.send({ topic, acks: -1, messages })
      return each(
        records,
        answer.then((metadata) => placesFrom(firstOffsets(metadata), records, partitions)),
      )
    }
    return { send: onePartitionASend ? byPartition(send, partitions) : send }
  }
}

function firstOffsets(metadata: readonly kafkajs.RecordMetadata[]): Map<number, number> {
  return new Map(metadata.map(({ partition, baseOffset = '-1' }) => [partition, Number(baseOffset)]))
}
