import { Ajv } from 'ajv'
import { fullFormats } from 'ajv-formats/dist/formats.js'
import { expect, test } from 'vitest'
import * as z from 'zod'
import { batchEvents, jsonBodies, keyIn } from '../src/ingest/events.ts'
import { envelopeSchema } from '../src/ingest/platform.ts'

const ajv = new Ajv({ strict: false, formats: fullFormats })
const event = z.object({ id: z.string(), type: z.literal('bench.one'), data: z.object({ sensor: z.string() }) })

test('every event fits the schema and has an id of its own', () => {
  const isEvent = ajv.compile(envelopeSchema)
  const single = jsonBodies('bench.one', 'single')
  const batch = jsonBodies('bench.one', 'batch')
  const texts = [single.next(), single.next(), batch.next(), batch.next()].map((bytes) => bytes.toString())
  const values = texts.flatMap((text): unknown[] => [JSON.parse(text)].flat())
  expect(values).toHaveLength(2 + 2 * batchEvents)
  for (const value of values) expect(isEvent(value), ajv.errorsText(isEvent.errors)).toBe(true)
  const events = values.map((value) => event.parse(value))
  expect(new Set(events.map(({ id }) => id)).size).toBe(events.length)
  expect(new Set(events.map(({ data }) => data.sensor)).size).toBeGreaterThan(batchEvents)
})

test('a head tells the length of the body behind it', () => {
  const { next, length } = jsonBodies('bench.one', 'batch', (bytes) => `head ${bytes}\n`)
  const [head = '', body = ''] = next().toString().split('\n')
  expect(head).toBe(`head ${length}`)
  expect(Buffer.byteLength(body)).toBe(length)
})

test('the key of an event is found in its bytes', () => {
  const { next } = jsonBodies('bench.one', 'single')
  for (const bytes of [next(), next()]) {
    const { data } = event.parse(JSON.parse(bytes.toString()))
    expect(keyIn(bytes).toString()).toBe(data.sensor)
  }
  expect(() => keyIn(Buffer.from('{}'))).toThrow(TypeError)
})
