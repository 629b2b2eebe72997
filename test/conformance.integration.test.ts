/** The contract: every route, in every format and mode, with every error, against the shapes that the documents promise. */
import { randomUUID } from 'node:crypto'
import { brotliCompressSync, gzipSync, zstdCompressSync } from 'node:zlib'
import { frame } from '@millrace/schemas/wire-format'
import { beforeAll, describe, expect, test } from 'vitest'
import * as z from 'zod'
import { call, conforms, encoded, formats, itemsOf, register, type Registered, type Sample } from './contract.ts'

const types = new Map<string, Registered>()
const sample: Sample = { name: 'grün €', count: 3 }

beforeAll(async () => {
  for (const format of formats) types.set(format, await register(format))
})

function typeOf(format: string): Registered {
  const type = types.get(format)
  if (!type) throw new RangeError(`${format} is not registered`)
  return type
}

const event = (type: string, members: object = {}) => {
  return { specversion: '1.0', id: randomUUID(), source: '/conformance', type, ...members }
}

type Body = { readonly contentType: string; readonly headers?: Record<string, string>; readonly body: string | Buffer }
type Mode = {
  readonly mode: string
  readonly formats: readonly string[]
  readonly send: (type: Registered, id: string) => Body
}

const attributes = ({ type }: Registered, id: string) => {
  return { 'ce-specversion': '1.0', 'ce-id': id, 'ce-source': '/conformance', 'ce-type': type }
}
const structured = 'application/cloudevents+json'
const framed = ({ format, schemaId }: Registered, payload: Buffer) =>
  frame(format, { schemaId, messageIndexes: [0], payload })

const modes: readonly Mode[] = [
  {
    mode: 'structured, data as JSON',
    formats,
    send: ({ type }, id) => ({ contentType: structured, body: JSON.stringify(event(type, { id, data: sample })) }),
  },
  {
    mode: 'structured, data in base64, bare',
    formats: ['avro', 'protobuf'],
    send: ({ type, format }, id) => ({
      contentType: structured,
      body: JSON.stringify(event(type, { id, data_base64: encoded(format, sample).toString('base64') })),
    }),
  },
  {
    mode: 'structured, data in base64, framed',
    formats: ['avro', 'protobuf'],
    send: (type, id) => ({
      contentType: structured,
      body: JSON.stringify(
        event(type.type, { id, data_base64: framed(type, encoded(type.format, sample)).toString('base64') }),
      ),
    }),
  },
  {
    mode: 'binary, JSON',
    formats,
    send: (type, id) => ({
      contentType: 'application/json; charset=utf-8',
      headers: attributes(type, id),
      body: JSON.stringify(sample),
    }),
  },
  {
    mode: 'binary, bare',
    formats: ['avro', 'protobuf'],
    send: (type, id) => ({
      contentType: `application/${type.format}`,
      headers: attributes(type, id),
      body: encoded(type.format, sample),
    }),
  },
  {
    mode: 'binary, framed, by the alias of the media type',
    formats: ['avro', 'protobuf'],
    send: (type, id) => ({
      contentType: type.format === 'avro' ? 'avro/binary' : 'application/x-protobuf',
      headers: attributes(type, id),
      body: framed(type, encoded(type.format, sample)),
    }),
  },
]

describe.each(modes)('$mode', ({ formats: taken, send }) => {
  test.each(taken)('%s is stored, read back, and known again', async (format) => {
    const type = typeOf(format)
    const id = randomUUID()
    const { contentType, headers, body } = send(type, id)
    const post = () => call('POST', '/v1/events', { contentType, body, ...(headers && { headers }) })
    const first = await post()
    expect(first).toMatchObject({
      status: 201,
      body: { id, type: type.type, status: 'accepted', schemaId: type.schemaId },
    })
    conforms('POST /v1/events', first)
    const again = await post()
    expect(again).toEqual({ ...first, status: 200, body: { ...first.body, status: 'duplicate' } })
    conforms('POST /v1/events', again)
    const latest = await call('GET', `/v1/events/latest?topic=${type.topic}&limit=1000`)
    conforms('GET /v1/events/latest', latest)
    const page = await call('GET', `/v1/events?topic=${type.topic}&from=earliest&limit=1000`)
    conforms('GET /v1/events', page)
    const { partition, offset, timestamp } = first.body
    for (const read of [latest, page]) {
      const item = itemsOf(read).find((found) => found.event.id === id)
      expect(item).toMatchObject({ partition, offset, timestamp, event: { data: sample } })
    }
  })
})

describe('many events at once', () => {
  const batch = (): readonly object[] => formats.map((format) => event(typeOf(format).type, { data: sample }))
  const lines = (events: readonly object[]) => events.map((one) => JSON.stringify(one)).join('\n')

  test.each([
    {
      mode: 'a batch',
      contentType: 'application/cloudevents-batch+json',
      body: (events: readonly object[]) => JSON.stringify(events),
    },
    { mode: 'a line each', contentType: 'application/x-ndjson', body: lines },
  ])('as $mode: all accepted 200, all rejected 422, a mix 207, none 400', async ({ contentType, body }) => {
    const post = async (events: readonly object[]) => {
      const answer = await call('POST', '/v1/events', { contentType, body: body(events) })
      conforms('POST /v1/events', answer)
      return answer
    }
    const good = batch()
    const bad = event(typeOf('json').type, { data: { name: 1 } })
    expect(await post(good)).toMatchObject({ status: 200, body: { accepted: 3, rejected: 0, unconfirmed: 0 } })
    expect(await post(good)).toMatchObject({
      status: 200,
      body: { accepted: 3, results: good.map(() => ({ status: 'duplicate' })) },
    })
    expect(await post([bad, bad])).toMatchObject({
      status: 422,
      body: { rejected: 2, results: [{ index: 0 }, { index: 1 }] },
    })
    expect(await post([bad, ...batch()])).toMatchObject({ status: 207, body: { accepted: 3, rejected: 1 } })
    expect((await post([])).status).toBe(400)
  })

  test.each([
    { encoding: 'gzip', compress: gzipSync },
    { encoding: 'br', compress: brotliCompressSync },
    { encoding: 'zstd', compress: zstdCompressSync },
  ])('in $encoding', async ({ encoding, compress }) => {
    const body = compress(Buffer.from(lines(batch())))
    const headers = { 'content-encoding': encoding }
    const answer = await call('POST', '/v1/events', { contentType: 'application/x-ndjson', headers, body })
    expect(answer).toMatchObject({ status: 200, body: { accepted: 3 } })
  })
})

describe('what is refused says why, and is stored nowhere', () => {
  type Refusal = {
    readonly what: string
    readonly status: number
    readonly contentType?: string
    readonly headers?: Record<string, string>
    readonly body: () => string | Buffer
    readonly scopes?: readonly string[]
  }
  const json = (members: object) => () => JSON.stringify(event(typeOf('json').type, members))
  const refusals: readonly Refusal[] = [
    { what: 'no JSON', status: 400, body: () => '{' },
    { what: 'nothing', status: 400, body: () => '' },
    { what: 'no CloudEvent', status: 400, body: () => '{"data":1}' },
    { what: 'another version of CloudEvents', status: 400, body: json({ specversion: '0.3', data: sample }) },
    { what: 'data that is there twice', status: 400, body: json({ data: sample, data_base64: 'AA==' }) },
    {
      what: 'a type that there is none of',
      status: 404,
      body: () => JSON.stringify(event('no.such.type', { data: sample })),
    },
    {
      what: 'a type that the token may not write',
      status: 403,
      body: json({ data: sample }),
      scopes: ['events:write:other.*'],
    },
    {
      what: 'a type that the token may not write, of what is no event',
      status: 403,
      body: () => JSON.stringify({ type: typeOf('json').type }),
      scopes: ['events:write:other.*'],
    },
    {
      what: 'a type that the token may not write, of a body that is no JSON',
      status: 403,
      contentType: 'application/json',
      headers: { 'ce-type': 'no.such.type' },
      body: () => '{',
      scopes: ['events:write:other.*'],
    },
    { what: 'a token without a scope to write', status: 403, body: json({ data: sample }), scopes: ['events:read:*'] },
    { what: 'data that does not fit', status: 422, body: json({ data: { count: 'many' } }) },
    { what: 'a media type that is none of ours', status: 415, contentType: 'text/xml', body: () => '<a/>' },
    {
      what: 'an encoding that is none of ours',
      status: 415,
      headers: { 'content-encoding': 'compress' },
      body: json({ data: sample }),
    },
    {
      what: 'an encoding that is broken',
      status: 400,
      headers: { 'content-encoding': 'gzip' },
      body: json({ data: sample }),
    },
    { what: 'an event of two megabytes', status: 413, body: json({ data: { name: 'x'.repeat(2_000_000), count: 1 } }) },
  ]

  test.each(refusals)('$status for $what', async ({ status, contentType = structured, headers, body, scopes }) => {
    const answer = await call('POST', '/v1/events', {
      contentType,
      body: body(),
      ...(headers && { headers }),
      ...(scopes && { scopes }),
    })
    expect(answer.status).toBe(status)
    expect(answer.contentType).toContain('application/problem+json')
    conforms('POST /v1/events', answer)
  })

  test.each(formats)('422 names each violation of %s by its pointer', async (format) => {
    const { type } = typeOf(format)
    const body = JSON.stringify(event(type, { data: { name: 1, count: 'many' } }))
    const answer = await call('POST', '/v1/events', { contentType: structured, body })
    const { errors } = answer.body
    const pointers = z.array(z.object({ pointer: z.string() })).parse(errors)
    expect(answer.status).toBe(422)
    expect(pointers.map(({ pointer }) => pointer).toSorted()).toEqual(['/count', '/name'])
  })

  test('409 for the same source and id with other content', async () => {
    const { type } = typeOf('json')
    const id = randomUUID()
    const post = (count: number) =>
      call('POST', '/v1/events', {
        contentType: structured,
        body: JSON.stringify(event(type, { id, data: { name: 'a', count } })),
      })
    expect((await post(1)).status).toBe(201)
    const other = await post(2)
    expect(other.status).toBe(409)
    conforms('POST /v1/events', other)
  })

  test.each([
    'POST /v1/events',
    'GET /v1/events/latest?topic=x',
    'GET /v1/event-types',
    'GET /v1/dead-letters?topic=x',
    'POST /v1/dead-letters/replay',
    'PUT /v1/event-types/a.b',
    'GET /health',
    'GET /metrics',
  ])('401 for %s without a token', async (route) => {
    const [method = '', path = ''] = route.split(' ')
    const answer = await call(method, path, {
      anonymous: true,
      contentType: structured,
      ...(method === 'GET' ? {} : { body: '{}' }),
    })
    expect(answer.status).toBe(401)
    conforms(route.replace(/\?.*/, '').replace('a.b', ':type'), answer)
  })
})

describe('reading', () => {
  test.each([
    ['GET /v1/event-types', '/v1/event-types', 200],
    ['GET /v1/event-types/:type', '/v1/event-types/order.placed', 200],
    ['GET /v1/event-types/:type', '/v1/event-types/no.such.type', 404],
    ['GET /v1/event-types/:type', `/v1/event-types/${'long'.repeat(100)}`, 404],
    ['GET /v1/events/latest', '/v1/events/latest?topic=no.such.topic', 404],
    ['GET /v1/events/latest', '/v1/events/latest?topic=_connect-configs', 404],
    ['GET /v1/events/latest', '/v1/events/latest?topic=order.placed&limit=1001', 400],
    ['GET /v1/events/latest', '/v1/events/latest?topic=order.placed&limit=0', 400],
    ['GET /v1/events/latest', '/v1/events/latest', 400],
    ['GET /v1/events', '/v1/events?topic=order.placed&from=2001-01-01T00:00:00Z', 200],
    ['GET /v1/events', '/v1/events?topic=order.placed&from=rubbish', 400],
    ['GET /v1/events', '/v1/events?topic=no.such.topic&from=earliest', 404],
    ['GET /v1/events/stream', '/v1/events/stream?topic=order.placed&from=rubbish', 400],
    ['GET /v1/events/stream', '/v1/events/stream?topic=no.such.topic', 404],
    ['GET /v1/ledger', '/v1/ledger', 200],
    [
      'GET /v1/ledger',
      '/v1/ledger?type=order.placed&from=2026-01-01T00:00:00Z&to=2026-01-01t00:01:00%2B01:00&limit=1',
      200,
    ],
    ['GET /v1/ledger', '/v1/ledger?from=yesterday', 400],
    ['GET /v1/ledger', '/v1/ledger?limit=0', 400],
    ['GET /v1/dead-letters', '/v1/dead-letters?topic=order.placed', 200],
    ['GET /v1/dead-letters', '/v1/dead-letters?type=order.placed&reason=malformed&limit=1', 200],
    ['GET /v1/dead-letters', '/v1/dead-letters?topic=no.such.topic', 404],
    ['GET /v1/dead-letters', '/v1/dead-letters?topic=order.placed&limit=1001', 400],
    ['GET /v1/dead-letters', '/v1/dead-letters?topic=order.placed&from=rubbish', 400],
    ['GET /v1/dead-letters', '/v1/dead-letters', 400],
    ['GET /health/live', '/health/live', 200],
    ['GET /health/ready', '/health/ready', 200],
    ['GET /health', '/health', 200],
  ])('%s: %s is %d', async (route, path, status) => {
    const answer = await call('GET', path)
    expect(answer.status).toBe(status)
    conforms(route, answer)
  })

  test.each([
    [{ topic: 'order.placed', filter: {}, dryRun: true }, 200],
    [{ topic: 'order.placed', ids: ['nobody'], cap: 1, canary: 1 }, 200],
    [{ topic: 'no.such.topic', filter: {} }, 404],
    [{ topic: 'order.placed' }, 400],
  ])('POST /v1/dead-letters/replay with %j is %d', async (body, status) => {
    const send = { contentType: 'application/json', body: JSON.stringify(body) }
    const answer = await call('POST', '/v1/dead-letters/replay', send)
    expect(answer.status).toBe(status)
    conforms('POST /v1/dead-letters/replay', answer)
  })

  test('paging goes through every event once, and on with those that come later', async () => {
    const { type, topic } = typeOf('avro')
    const post = (id: string) =>
      call('POST', '/v1/events', { contentType: structured, body: JSON.stringify(event(type, { id, data: sample })) })
    const before = await pages(topic, 'earliest')
    const ids = Array.from({ length: 7 }, () => randomUUID())
    for (const id of ids) expect((await post(id)).status).toBe(201)
    const after = await pages(topic, before.next)
    expect(after.ids.toSorted()).toEqual(ids.toSorted())
    expect(new Set(before.ids).size).toBe(before.ids.length)
  })
})

async function pages(topic: string, from: string): Promise<{ ids: string[]; next: string }> {
  const ids: string[] = []
  for (let next = from; ;) {
    const page = await call('GET', `/v1/events?topic=${topic}&limit=3&from=${encodeURIComponent(next)}`)
    conforms('GET /v1/events', page)
    const items = itemsOf(page)
    next = z.string().parse(page.body['next'])
    if (items.length === 0) return { ids, next }
    ids.push(...items.map(({ event: { id } }) => id))
  }
}
