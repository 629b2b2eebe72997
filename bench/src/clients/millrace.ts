import { openProducer } from '@millrace/kafka/producer'
import { connectionOf } from '../kafka-settings.ts'
import type { OpenClient } from './client.ts'

export const openMillrace: OpenClient = async ({ topic, kafka }) => {
  const producer = openProducer(await connectionOf(kafka))
  await producer.connect()
  return {
    send: (records) =>
      records.map(async ({ key, value, headers }) => {
        const record = { topic, key, value, headers: new Map(Object.entries(headers)), timestampMs: Date.now() }
        const { partition, offset } = await producer.send(record)
        return { partition, offset: Number(offset) }
      }),
  }
}
