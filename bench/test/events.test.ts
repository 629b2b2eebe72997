import type { JsonObject } from '@millrace/core/json'
import { isJsonObject } from '@millrace/core/json'
import { Ajv } from 'ajv'
import { fullFormats } from 'ajv-formats/dist/formats.js'
import { expect, test } from 'vitest'
import * as z from 'zod'
import { bodiesOf, keyIn } from '../src/ingest/bodies.ts'
import { batchEvents, jsonEvent, type Mode, requestTemplate } from '../src/ingest/events.ts'
import { envelopeSchema } from '../src/ingest/platform.ts'
import { codecOf } from '../src/ingest/reading.ts'

const head = 'POST / HTTP/1.1\r\n'
const event = z.object({ id: z.string(), type: z.literal('bench.one'), data: z.object({ sensor: z.string() }) })
const binaryEvent = z.object({ id: z.string(), type: z.literal('bench.one'), data_base64: z.base64() })

function requestsOf(format: 'json' | 'avro' | 'protobuf', mode: Mode): () => { head: string; body: Buffer } {
  const next = bodiesOf(requestTemplate(head, 'bench.one', format, mode))
  return () => {
    const bytes = next()
    const end = bytes.indexOf('\r\n\r\n')
    return { head: bytes.toString('latin1', 0, end), body: bytes.subarray(end + 4) }
  }
}

function parsed({ body }: { body: Buffer }): unknown[] {
  return [JSON.parse(body.toString())].flat()
}

function decoded(format: 'avro' | 'protobuf', bytes: Buffer): JsonObject {
  const coded = codecOf(format).fromBytes(bytes)
  if (!coded.ok || !isJsonObject(coded.data)) throw new Error('does not fit the schema')
  return coded.data
}

test('every JSON event fits the schema and has an id of its own', () => {
  const isEvent = new Ajv({ strict: false, formats: fullFormats }).compile(envelopeSchema)
  const [single, batch] = [requestsOf('json', 'single'), requestsOf('json', 'batch')]
  const values = [single(), single(), batch(), batch()].flatMap(parsed)
  expect(values).toHaveLength(2 + 2 * batchEvents)
  for (const value of values) expect(isEvent(value), JSON.stringify(isEvent.errors)).toBe(true)
  const events = values.map((value) => event.parse(value))
  expect(new Set(events.map(({ id }) => id)).size).toBe(events.length)
  expect(new Set(events.map(({ data }) => data.sensor)).size).toBeGreaterThan(batchEvents)
})

test.each(['avro', 'protobuf'] as const)(
  'an event in %s is sent alone as it is, with its attributes as headers',
  (format) => {
    const next = requestsOf(format, 'single')
    const requests = [next(), next()]
    for (const { head: lines } of requests) {
      expect(lines).toContain(`\r\ncontent-type: application/${format}\r\nce-specversion: 1.0\r\n`)
      expect(lines).toContain('\r\nce-type: bench.one\r\n')
    }
    expect(new Set(requests.map(({ head: lines }) => /\r\nce-id: (\d{16})\r\n/.exec(lines)?.[1])).size).toBe(2)
    const readings = requests.map(({ body }) => decoded(format, body))
    expect(new Set(readings.map(({ sensor }) => sensor)).size).toBe(2)
    for (const reading of readings) {
      expect(reading['sensor']).toMatch(/^sensor-\d{4}$/)
      expect(reading).toMatchObject({
        temperature: 21.375,
        location: { site: 'warehouse-7, hall 3' },
        tags: { length: 3 },
      })
    }
  },
)

test.each(['avro', 'protobuf'] as const)('events in %s share a batch in Base64, each with its id and key', (format) => {
  const events = parsed(requestsOf(format, 'batch')()).map((value) => binaryEvent.parse(value))
  expect(events).toHaveLength(batchEvents)
  expect(new Set(events.map(({ id }) => id)).size).toBe(batchEvents)
  const sensors = events.map(({ data_base64: data }) => decoded(format, Buffer.from(data, 'base64'))['sensor'])
  expect(sensors).toEqual(events.map(({ id }) => `sensor-0${id.slice(-3)}`))
})

test.each(['json', 'avro', 'protobuf'] as const)('a head tells the length of the body behind it: %s', (format) => {
  for (const mode of ['single', 'batch'] as const) {
    const { head: lines, body } = requestsOf(format, mode)()
    expect(lines.startsWith(head)).toBe(true)
    expect(Number(/content-length: (\d+)$/.exec(lines)?.[1])).toBe(body.length)
  }
})

test('the key of an event is found in its bytes', () => {
  const next = bodiesOf(jsonEvent('bench.one'))
  for (const bytes of [next(), next()]) {
    const { data } = event.parse(JSON.parse(bytes.toString()))
    expect(keyIn(bytes).toString()).toBe(data.sensor)
  }
  expect(() => keyIn(Buffer.from('{}'))).toThrow(TypeError)
})
