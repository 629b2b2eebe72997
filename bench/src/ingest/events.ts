/** What is posted: CloudEvents of one type, singly or in batches, in the way that suits their format. */
import { Buffer } from 'node:buffer'
import type { SchemaFormat } from '@millrace/core/event-type'
import { base64Key, idMark, type KeyText, plainKey, sensorMark, type Template } from './bodies.ts'
import { encodedReadingOf, readingOf } from './reading.ts'

export type Mode = 'single' | 'batch'

export const batchEvents = 100

type Message = {
  /** Lines of the head that say what the body is. */
  readonly headers: string
  readonly body: Buffer
  readonly key: KeyText
}

/** A JSON event, as structured CloudEvents have it. */
export function jsonEvent(type: string): Template {
  const { body, key } = structured(type, 'single', { data: readingOf(sensorMark) }, plainKey)
  return { bytes: body, key }
}

/** Whole requests with events of this type; `head` begins them, up to the headers that tell of the body. */
export function requestTemplate(head: string, type: string, format: SchemaFormat, mode: Mode): Template {
  const { headers, body, key } = messageOf(type, format, mode)
  const bytes = Buffer.concat([Buffer.from(`${head}${headers}content-length: ${body.length}\r\n\r\n`, 'latin1'), body])
  return { bytes, key }
}

/** Avro and Protobuf travel as they are where an event is sent alone, and in Base64 where several share one body in JSON. */
function messageOf(type: string, format: SchemaFormat, mode: Mode): Message {
  if (format === 'json') return structured(type, mode, { data: readingOf(sensorMark) }, plainKey)
  const data = encodedReadingOf(format, sensorMark)
  return mode === 'single'
    ? binary(type, format, data)
    : structured(type, mode, { data_base64: data.toString('base64') }, base64Key(data))
}

const source = '/bench'
const time = '2030-01-01T00:00:00Z'

function structured(type: string, mode: Mode, content: object, key: KeyText): Message {
  const event = { specversion: '1.0', id: idMark, source, type, time, ...content }
  const batch = mode === 'batch'
  return {
    headers: `content-type: application/cloudevents${batch ? '-batch' : ''}+json\r\n`,
    body: Buffer.from(JSON.stringify(batch ? Array.from({ length: batchEvents }, () => event) : event)),
    key,
  }
}

function binary(type: string, format: SchemaFormat, body: Buffer): Message {
  const attributes = { specversion: '1.0', id: idMark, source, type, time }
  const lines = Object.entries(attributes).map(([name, value]) => `ce-${name}: ${value}\r\n`)
  return { headers: `content-type: application/${format}\r\n${lines.join('')}`, body, key: plainKey }
}
