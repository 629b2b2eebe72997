/** Calls the API as an application does, and holds its answers against the documents. */
import { randomUUID } from 'node:crypto'
import { isJsonObject, type JsonObject } from '@millrace/core/json'
import { commonAnswers } from '@millrace/gateway/documents/operation'
import { operations } from '@millrace/gateway/documents/operations'
import { shapes } from '@millrace/gateway/documents/shapes'
import { compileJsonSchema } from '@millrace/schemas/json-schema'
import { stack } from '@millrace/testkit/fixture'
import avro from 'avsc'
import protobuf from 'protobufjs'
import { expect } from 'vitest'
import * as z from 'zod'

const { gatewayUrl, token } = stack()

export type Answer = { readonly status: number; readonly contentType: string; readonly body: JsonObject }
export type Call = {
  readonly contentType?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Buffer
  readonly scopes?: readonly string[]
  readonly anonymous?: boolean
}

const everything = [
  'events:write:*',
  'events:read:*',
  'dlq:read:*',
  'dlq:replay:*',
  'catalog:read',
  'catalog:write',
  'metrics:read',
  'ops:read',
]

export async function call(
  method: string,
  path: string,
  { contentType, headers, body, scopes, anonymous }: Call = {},
): Promise<Answer> {
  const bearer = anonymous ? {} : { authorization: `Bearer ${await token(...(scopes ?? everything))}` }
  const answer = await fetch(`${gatewayUrl}${path}`, {
    method,
    headers: { ...bearer, ...(contentType !== undefined && { 'content-type': contentType }), ...headers },
    ...(body !== undefined && { body: typeof body === 'string' ? body : new Blob([Uint8Array.from(body)]) }),
  })
  const parsed: unknown = await answer.json()
  if (!isJsonObject(parsed)) throw new TypeError(`${method} ${path} did not answer with an object`)
  return { status: answer.status, contentType: answer.headers.get('content-type') ?? '', body: parsed }
}

/** Holds an answer against what the documents say of its route, status and media type. */
export function conforms(route: string, { status, contentType, body }: Answer): void {
  const described: Readonly<Record<string, JsonObject>> = {
    ...commonAnswers.any,
    ...commonAnswers.withToken,
    ...operations[route]?.answers,
  }
  const content = described[String(status)]?.['content']
  const mediaType = contentType.split(';')[0]?.trim() ?? ''
  const schema = isJsonObject(content) && isJsonObject(content[mediaType]) ? content[mediaType]['schema'] : undefined
  if (!isJsonObject(schema)) throw new RangeError(`${route} does not describe ${status} as ${mediaType}`)
  const document = {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    ...schema,
    components: { schemas: shapes },
  }
  expect(compileJsonSchema(document)(body)).toEqual([])
}

export const formats = ['json', 'avro', 'protobuf'] as const
export type Format = (typeof formats)[number]
export type Sample = { readonly name: string; readonly count: number }

const avroSchema: avro.schema.RecordType = {
  type: 'record',
  name: 'Sample',
  fields: [
    { name: 'name', type: 'string' },
    { name: 'count', type: 'long' },
  ],
}
const protobufSchema = 'syntax = "proto3"; message Sample { string name = 1; int32 count = 2; }'
const jsonSchema = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  type: 'object',
  additionalProperties: false,
  properties: { name: { type: 'string' }, count: { type: 'integer' } },
  required: ['name', 'count'],
}
const schemas = { json: jsonSchema, avro: avroSchema, protobuf: protobufSchema }

export type Registered = {
  readonly format: Format
  readonly type: string
  readonly topic: string
  readonly schemaId: number
}

/** Registers an event type of its own for a test file, in a format, keyed by name. */
export async function register(format: Format): Promise<Registered> {
  const type = `sample.${format}.${randomUUID().slice(0, 8)}`
  const answer = await call('PUT', `/v1/event-types/${type}`, {
    contentType: 'application/json',
    body: JSON.stringify({ format, schema: schemas[format], key: '/name', partitions: 3 }),
  })
  expect(answer).toMatchObject({ status: 201 })
  conforms('PUT /v1/event-types/:type', answer)
  const { topic, schemaId } = z.object({ topic: z.string(), schemaId: z.int() }).parse(answer.body)
  return { format, type, topic, schemaId }
}

const itemShape = z.looseObject({
  partition: z.int(),
  offset: z.int(),
  timestamp: z.string(),
  event: z.looseObject({ id: z.string() }),
})
export type Item = z.infer<typeof itemShape>

/** The events of an answer that has some. */
export function itemsOf({ body }: Answer): Item[] {
  return z.array(itemShape).parse(body['events'])
}

/** A sample in the format's own encoding, by libraries that are not the gateway's code. */
export function encoded(format: Format, sample: Sample): Buffer {
  if (format === 'json') return Buffer.from(JSON.stringify(sample))
  if (format === 'avro') return avro.Type.forSchema(avroSchema).toBuffer(sample)
  return Buffer.from(protobuf.parse(protobufSchema).root.lookupType('Sample').encode(sample).finish())
}
