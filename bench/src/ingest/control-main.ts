/**
 * The controls: a bare `node:http` server in front of the same Kafka client. It takes what the gateway takes and answers where the
 * event is, and writes the same keys; no token, no routes, no envelope, no headers on the record. `validate` adds a parse and a JSON
 * Schema.
 */
import { createServer, type IncomingMessage } from 'node:http'
import { openProducer, type Producer, type StoredAt } from '@millrace/kafka/producer'
import { readConfig } from '@millrace/service/config'
import { Ajv, type ValidateFunction } from 'ajv'
import { fullFormats } from 'ajv-formats/dist/formats.js'
import * as z from 'zod'
import { keyIn } from './bodies.ts'
import { connectionOf, kafkaSettings } from '../kafka-settings.ts'
import { envelopeSchema } from './platform.ts'

const config = await readConfig(
  z.strictObject({ port: z.int(), topic: z.string(), validate: z.boolean(), kafka: kafkaSettings }),
  process.argv.slice(2),
)
const noHeaders: ReadonlyMap<string, string> = new Map()
type Event = { readonly data: { readonly sensor: string } }
const isEvent: ValidateFunction<Event> = new Ajv({ strict: false, formats: fullFormats }).compile(envelopeSchema)

const producer: Producer = openProducer(await connectionOf(config.kafka))
const server = createServer((request, response) => {
  take(request).then(
    (answer) => {
      const body = JSON.stringify(answer)
      response
        .writeHead(201, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) })
        .end(body)
    },
    () => response.writeHead(500, { 'content-length': 0 }).end(),
  )
})
server.listen({ port: config.port, host: '127.0.0.1' })
process.once('SIGTERM', () => {
  server.close()
  server.closeAllConnections()
  void producer.close()
})

async function take(request: IncomingMessage): Promise<unknown> {
  const body = await bodyOf(request)
  if (!request.headers['content-type']?.includes('batch')) {
    return told(await store(body, config.validate ? checked(JSON.parse(body.toString())) : keyIn(body)))
  }
  const values: unknown = JSON.parse(body.toString())
  if (!Array.isArray(values)) throw new TypeError('not a batch')
  const stored = values.map((value: unknown) => {
    const event = Buffer.from(JSON.stringify(value))
    return store(event, config.validate ? checked(value) : keyIn(event))
  })
  return (await Promise.all(stored)).map(told)
}

function checked(value: unknown): Buffer {
  if (isEvent(value)) return Buffer.from(value.data.sensor)
  throw new TypeError('not an event')
}

function store(value: Buffer, key: Buffer): Promise<StoredAt> {
  return producer.send({ topic: config.topic, key, value, headers: noHeaders, timestampMs: Date.now() })
}

function told({ partition, offset }: StoredAt): unknown {
  return { partition, offset: Number(offset) }
}

function bodyOf(request: IncomingMessage): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => resolve(Buffer.concat(chunks)))
    request.on('error', reject)
  })
}
