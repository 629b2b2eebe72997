/**
 * The direct control: the same Kafka client in a process of its own, which makes its load itself, so that nothing lies between it and
 * Kafka. It is told by `POST /` what to do and answers what it measured.
 */
import { createServer, type IncomingMessage } from 'node:http'
import { openProducer } from '@millrace/kafka/producer'
import { readConfig } from '@millrace/service/config'
import * as z from 'zod'
import { bodiesOf, keyIn } from './bodies.ts'
import { batchEvents, jsonEvent } from './events.ts'
import { connectionOf, kafkaSettings } from '../kafka-settings.ts'
import { putLoad, type Send } from './load.ts'

const config = await readConfig(
  z.strictObject({ port: z.int(), topic: z.string(), kafka: kafkaSettings }),
  process.argv.slice(2),
)
const order = z.strictObject({
  mode: z.enum(['single', 'batch']),
  load: z.strictObject({ perSecond: z.number().optional(), seconds: z.number(), concurrency: z.int() }),
})
const noHeaders: ReadonlyMap<string, string> = new Map()

const producer = openProducer(await connectionOf(config.kafka))
const nextBody = bodiesOf(jsonEvent(config.topic))
const server = createServer((request, response) => {
  measure(request).then(
    (result) => response.end(JSON.stringify(result)),
    () => response.writeHead(500).end(),
  )
})
server.listen({ port: config.port, host: '127.0.0.1' })
process.once('SIGTERM', () => {
  server.close()
  server.closeAllConnections()
  void producer.close()
})

async function measure(request: IncomingMessage): Promise<unknown> {
  if (request.method !== 'POST') return {}
  const { mode, load } = order.parse(JSON.parse(Buffer.concat(await Array.fromAsync(request)).toString()))
  return putLoad(mode === 'single' ? sendOne : sendMany, { perSecond: undefined, ...load })
}

const sendOne: Send = async () => {
  const value = nextBody()
  await producer.send({ topic: config.topic, key: keyIn(value), value, headers: noHeaders, timestampMs: Date.now() })
  return 1
}

const sendMany: Send = async () => {
  await Promise.all(Array.from({ length: batchEvents }, sendOne))
  return batchEvents
}
