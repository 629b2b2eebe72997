import { fingerprintHeader } from '@millrace/core/kafka-binding'
import { request } from 'node:http'
import { partitionForKey } from '@millrace/core/partitioner'
import { openReader } from '@millrace/kafka/reader'
import { stack } from '@millrace/testkit/fixture'
import * as z from 'zod'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  accepted,
  batchShape,
  batched,
  bearer,
  get,
  order,
  post,
  problemOf,
  type Receipt,
  receiptShape,
} from './api.ts'
import { makeFreeType } from './free-type.ts'

const { connection, gatewayUrl, registryUrl } = stack()
const free = 'gateway-publish.made'
const keyless = 'gateway-publish.keyless'
const reader = openReader(connection('admin'))
beforeAll(async () => {
  await makeFreeType(free, '/key')
  await makeFreeType(keyless, null, 3)
})
afterAll(() => reader.close())

async function recordOf({ topic, partition, offset }: Pick<Receipt, 'topic' | 'partition' | 'offset'>) {
  const span = { start: BigInt(offset), end: BigInt(offset) + 1n }
  const record = (await reader.readFirst(topic, new Map([[partition, span]]))).get(partition)
  if (!record) throw new Error(`there is no record at ${topic}/${partition}/${offset}`)
  return record
}

const made = (data: unknown, members: Readonly<Record<string, unknown>> = {}) => ({
  ...order({ type: free, ...members }),
  data,
})

describe('an event that is stored', () => {
  test('is answered with what it is and where it is, and nothing else', async () => {
    const before = Date.now()
    const answer = await post(order({ id: 'receipt' }))
    expect(answer.status).toBe(201)
    expect(answer.headers.get('content-type')).toContain('application/json')
    const receipt = receiptShape.parse(await answer.json())
    const entry = z
      .object({ schemaId: z.number() })
      .parse(await (await get('/v1/event-types/order.placed', 'catalog:read')).json())
    expect(receipt).toMatchObject({
      id: 'receipt',
      source: '/gateway-test',
      type: 'order.placed',
      topic: 'order.placed',
      schemaId: entry.schemaId,
    })
    const timestampMs = Date.parse(receipt.timestamp)
    expect(timestampMs).toBeGreaterThanOrEqual(before)
    expect(timestampMs).toBeLessThanOrEqual(Date.now())
    expect((await recordOf(receipt)).timestampMs).toBe(timestampMs)
  })

  test('is a record in the binary mode of CloudEvents: plain JSON, its attributes in headers', async () => {
    const event = order({ id: 'ünï', time: '2030-06-01T01:02:03.5+02:00', subject: 'a b', tenant: 'blue', priority: 7 })
    const receipt = await accepted({ ...event, dataschema: 'urn:mine', datacontenttype: 'application/json' })
    const record = await recordOf(receipt)
    expect(record.value?.toString()).toBe(JSON.stringify(event.data))
    const { [fingerprintHeader]: fingerprint, ...headers } = Object.fromEntries(record.headers)
    expect(fingerprint).toMatch(/^[0-9a-f]{32}$/)
    expect(headers).toEqual({
      ce_specversion: '1.0',
      ce_id: 'ünï',
      ce_source: '/gateway-test',
      ce_type: 'order.placed',
      ce_time: '2030-06-01T01:02:03.5+02:00',
      ce_subject: 'a b',
      ce_tenant: 'blue',
      ce_priority: '7',
      ce_dataschema: `${registryUrl}/schemas/ids/${receipt.schemaId}`,
      'content-type': 'application/json',
      millrace_event_time: event.data.at,
    })
  })

  test('has an id and a time though its producer gave none', async () => {
    const [one, other] = [await accepted(order()), await accepted(order({ id: null, time: null }))]
    expect(one.id).toMatch(/^[0-9a-f-]{36}$/)
    expect(other.id).not.toBe(one.id)
    const { headers } = await recordOf(one)
    expect(headers.get('ce_id')).toBe(one.id)
    expect(Date.parse(headers.get('ce_time') ?? '')).toBeCloseTo(Date.parse(one.timestamp), -3)
  })

  test('has a fingerprint also where its producer gave no id: it may be sent again with the one that is answered', async () => {
    expect((await recordOf(await accepted(order()))).headers.get(fingerprintHeader)).toMatch(/^[0-9a-f]{32}$/)
  })

  test('carries the trace that it came with, one hop further', async () => {
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
    const { headers } = await recordOf(await accepted(order(), { headers: { traceparent, tracestate: 'a=1' } }))
    expect(headers.get('traceparent')).toMatch(
      /^00-0af7651916cd43dd8448eb211c80319c-(?!b7ad6b7169203331)[0-9a-f]{16}-01$/,
    )
    const own = '00-11111111111111111111111111111111-2222222222222222-00'
    const event = await recordOf(await accepted(order({ traceparent: own }), { headers: { traceparent } }))
    expect(event.headers.get('traceparent')).toMatch(/^00-1{32}-(?!2{16})[0-9a-f]{16}-00$/)
    expect(event.headers.has('ce_traceparent')).toBe(false)
    expect(headers.get('tracestate')).toBe('a=1')
    const without = await recordOf(await accepted(order(), { headers: { traceparent: 'nonsense', tracestate: 'a=1' } }))
    expect([...without.headers.keys()]).not.toContain('traceparent')
  })

  test.each([
    ['ada', 'ada'],
    ['grün', 'grün'],
    ['', ''],
    [42, '42'],
    [-1.5, '-1.5'],
    [false, 'false'],
  ])('with the key %j lies in the partition that Kafka gives it', async (key, text) => {
    const receipt = await accepted(made({ key }))
    expect(receipt).toMatchObject({ topic: `${free}-topic`, partition: partitionForKey(Buffer.from(text), 6) })
    expect((await recordOf(receipt)).key?.toString()).toBe(text)
  })

  test.each([{ key: null }, {}, 'text', null, [1]])('without a key has none: %j', async (data) => {
    expect((await recordOf(await accepted(made(data)))).key).toBeNull()
  })

  test('of a type without a key goes anywhere', async () => {
    const receipts = await Promise.all(Array.from({ length: 30 }, () => accepted({ ...order({ type: keyless }) })))
    expect(new Set(receipts.map(({ partition, offset }) => `${partition}/${offset}`)).size).toBe(30)
  })

  test('keeps what JSON can hold, byte by byte in meaning', async () => {
    const data = { key: 'k', text: '\u0001\u{1F600}', nested: { list: [1, 2.5, -0.1, 1e21, true, null, ''] } }
    const record = await recordOf(await accepted(made(data)))
    expect(JSON.parse(record.value?.toString() ?? '')).toEqual(data)
    const proto = await recordOf(
      await accepted(`{"specversion":"1.0","source":"/s","type":"${free}","data":{"__proto__":{"a":1}}}`),
    )
    expect(proto.value?.toString()).toBe('{"__proto__":{"a":1}}')
  })
})

describe('an event in binary mode', () => {
  const attributes = { 'ce-specversion': '1.0', 'ce-source': '/binary', 'ce-type': 'order.placed' }
  const send = (headers: Readonly<Record<string, string>>, data: unknown = order().data) =>
    post(data, { contentType: 'application/json', headers })

  test('has its attributes in headers, percent-encoded where they are not ASCII', async () => {
    const headers = { ...attributes, 'ce-id': 'b%20%E2%82%AC', 'ce-time': '2030-06-01T00:00:00Z', 'ce-subject': '100%' }
    const receipt = receiptShape.parse(await (await send(headers)).json())
    expect(receipt).toMatchObject({ id: 'b €', source: '/binary' })
    const record = await recordOf(receipt)
    expect(record.headers.get('ce_id')).toBe('b €')
    expect(record.headers.get('ce_subject')).toBe('100%')
    expect(record.headers.get('ce_time')).toBe('2030-06-01T00:00:00Z')
    expect(record.value?.toString()).toBe(JSON.stringify(order().data))
  })

  test('says what it lacks', async () => {
    const { errors } = await problemOf(await send({ 'ce-source': '/binary', 'ce-type': 'order.placed' }), 400)
    expect(errors?.map(({ pointer }) => pointer)).toEqual(['/specversion'])
    const without = await problemOf(await send({ 'ce-specversion': '1.0' }), 400)
    expect(without.errors?.map(({ pointer }) => pointer)).toEqual(expect.arrayContaining(['/source', '/type']))
  })
})

describe('an event is refused with', () => {
  test.each([
    ['no JSON', '{'],
    ['nothing', ''],
    ['bytes that are no UTF-8', Buffer.from([0x7b, 0xff, 0x7d])],
    ['an array in the place of an event', [order()]],
    ['no event', 7],
  ])('400: %s', async (_what, body) => {
    await problemOf(await post(body), 400)
  })

  test('400 and a pointer to all that makes it no CloudEvent', async () => {
    const { errors } = await problemOf(await post({ id: 7, time: 'yesterday', Bad: 'x' }), 400)
    const pointers = errors?.map(({ pointer }) => pointer)
    expect(pointers?.sort()).toEqual(['/Bad', '/data', '/id', '/source', '/specversion', '/time', '/type'])
  })

  test('400 where a number or its nesting could not be kept', async () => {
    const long = `{"specversion":"1.0","source":"/s","type":"${free}","data":{"n":9007199254740993}}`
    expect((await problemOf(await post(long), 400)).errors?.[0]?.pointer).toBe('/data/n')
    const deep = `{"specversion":"1.0","source":"/s","type":"${free}","data":${'['.repeat(50_000)}${']'.repeat(50_000)}}`
    expect((await problemOf(await post(deep), 400)).errors?.[0]?.detail).toMatch(/nested deeper/)
  })

  test('401 without a valid token, before its body is read', async () => {
    const answer = await fetch(`${gatewayUrl}/v1/events`, { method: 'POST', body: '{}' })
    expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer/)
    await problemOf(answer, 401)
    expect(await statusBeforeBody({})).toBe(401)
    expect(await statusBeforeBody({ authorization: 'Bearer a.b.c' })).toBe(401)
    expect(await statusBeforeBody(await bearer('events:read:*'))).toBe(403)
  })

  test('403 before anything is told of its type', async () => {
    const scopes = ['events:write:payment.*', 'events:read:*', 'catalog:write']
    const refused = await problemOf(await post(order(), { scopes }), 403)
    expect(refused.detail).toContain('events:write:order.placed')
    await problemOf(await post(order({ type: 'unheard.of' }), { scopes }), 403)
    await problemOf(await post(order({}, { amount: 'much' }), { scopes }), 403)
    await problemOf(await post(order(), { scopes: ['events:write:order.placed.more'] }), 403)
  })

  test('404 for a type that there is not', async () => {
    expect((await problemOf(await post(order({ type: 'unheard.of' })), 404)).detail).toContain('unheard.of')
    await problemOf(await post(order({ type: 'constructor' })), 404)
  })

  test('413 when it is too large, by its body, in a batch, or for Kafka', async () => {
    await problemOf(await post(made({ text: 'x'.repeat(1_100_000) })), 413)
    await problemOf(await post(made({ text: 'x'.repeat(1_020_000) })), 413)
    await problemOf(await post(Buffer.alloc(9_000_000, ' ')), 413)
    const answer = await post([made({ text: 'x'.repeat(1_100_000) }), made({ key: 'small' })], { contentType: batched })
    expect(answer.status).toBe(207)
    expect(await answer.json()).toMatchObject({
      results: [{ status: 'rejected', problem: { status: 413 } }, { status: 'accepted' }],
    })
  })

  test.each(['text/plain', 'application/xml', 'application/json', 'application/cloudevents+avro', 'nonsense'])(
    '415: %s',
    async (contentType) => {
      await problemOf(await post(order(), { contentType }), 415)
    },
  )

  test('422 and a pointer to all that does not fit its schema', async () => {
    const bad = order({ id: 'bad' }, { customer: '', amount: 'much', at: 'yesterday', more: 1 })
    const { errors } = await problemOf(await post(bad), 422)
    expect(errors?.map(({ pointer }) => pointer).sort()).toEqual(['/amount', '/at', '/customer', '/more'])
    const { data, ...envelope } = order()
    expect(data).toBeDefined()
    expect((await problemOf(await post({ ...envelope, data: null }), 422)).errors?.[0]?.pointer).toBe('')
  })

  test('415 for data in a format that its type is not of', async () => {
    const headers = { 'ce-specversion': '1.0', 'ce-source': '/s', 'ce-type': 'order.placed' }
    const { detail } = await problemOf(await post(Buffer.from([2]), { contentType: 'avro/binary', headers }), 415)
    expect(detail).toContain('application/json')
  })

  test.each([{ key: {} }, { key: ['a'] }])('422 when its key is no scalar: %j', async (data) => {
    expect((await problemOf(await post(made(data)), 422)).errors).toMatchObject([{ pointer: '/key' }])
  })
})

describe('a batch', () => {
  const send = async (events: unknown, scopes?: readonly string[]) => {
    const answer = await post(events, { contentType: batched, ...(scopes && { scopes }) })
    return { status: answer.status, body: batchShape.parse(await answer.json()) }
  }

  test('of good events is accepted, in the order of the request', async () => {
    const ids = Array.from({ length: 200 }, (_, index) => `batch ${index}`)
    const { status, body } = await send(ids.map((id) => made({ key: 'same' }, { id })))
    expect(status).toBe(200)
    expect(body).toMatchObject({ accepted: 200, rejected: 0, unconfirmed: 0 })
    expect(body.results.map(({ id }) => id)).toEqual(ids)
    expect(body.results.map(({ index }) => `batch ${index}`)).toEqual(ids)
    const [first] = body.results
    const offsets = body.results.map(({ offset = -1 }) => offset - (first?.offset ?? 0))
    expect(offsets).toEqual(offsets.toSorted((one, other) => one - other))
    expect(new Set(body.results.map(({ partition }) => partition)).size).toBe(1)
    const { topic = '', partition = -1, offset = -1 } = body.results[7] ?? {}
    const record = await recordOf({ topic, partition, offset })
    expect(record.headers.get('ce_id')).toBe('batch 7')
  })

  test('judges each event by itself, whatever is wrong with the others', async () => {
    const { status, body } = await send(
      [
        order({ id: 'good' }),
        { id: 'no event' },
        'text',
        order({ id: 'forbidden', type: 'payment.made' }),
        order({ id: 'unknown', type: 'order.unheard-of' }),
        order({ id: 'misfit' }, { amount: 'much' }),
        order({ id: 'deep' }, { extra: Array.from({ length: 70 }).reduce((inner) => [inner], []) }),
        order({ id: 'good too' }),
      ],
      ['events:write:order.*'],
    )
    expect(status).toBe(207)
    expect(body).toMatchObject({ accepted: 2, rejected: 6, unconfirmed: 0 })
    expect(body.results.map(({ id, status, problem }) => [id, problem?.status ?? status])).toEqual([
      ['good', 'accepted'],
      ['no event', 400],
      [null, 400],
      ['forbidden', 403],
      ['unknown', 404],
      ['misfit', 422],
      ['deep', 400],
      ['good too', 'accepted'],
    ])
    expect(body.results[0]).not.toHaveProperty('problem')
    expect(body.results[5]).not.toHaveProperty('topic')
    expect(body.results[5]?.problem?.errors).toMatchObject([{ pointer: '/amount' }])
  })

  test('refuses a number that cannot be kept for its own event alone', async () => {
    const event = (id: string, n: string) =>
      `{"specversion":"1.0","source":"/s","id":"${id}","type":"${free}","data":{"n":${n}}}`
    const answer = await post(`[${event('a', '1')},${event('b', '9007199254740993')},${event('c', '2')}]`, {
      contentType: batched,
    })
    const { results } = batchShape.parse(await answer.json())
    expect(answer.status).toBe(207)
    expect(results.map(({ id, status }) => [id, status])).toEqual([
      ['a', 'accepted'],
      ['b', 'rejected'],
      ['c', 'accepted'],
    ])
  })

  test('of bad events alone is 422', async () => {
    expect(await send([{}, order({}, { amount: 'much' })])).toMatchObject({ status: 422, body: { rejected: 2 } })
  })

  test.each([[[]], [{}], [order()], ['text'], [null]])('that is none, or empty, is 400: %j', async (body) => {
    await problemOf(await post(body, { contentType: batched }), 400)
  })

  test('takes a thousand events; those beyond are refused by themselves', async () => {
    const events = [order({ id: 'first' }), ...Array.from({ length: 999 }, () => ({})), order({ id: 'beyond' })]
    const { status, body } = await send(events)
    expect(status).toBe(207)
    expect(body).toMatchObject({ accepted: 1, rejected: 1_000 })
    expect(body.results[1_000]).toMatchObject({ id: 'beyond', status: 'rejected', problem: { status: 413 } })
  })

  test('needs a token that may write something', async () => {
    await problemOf(await post([order()], { contentType: batched, scopes: ['events:read:*'] }), 403)
  })
})

/** The status that is answered to a request whose body never comes. */
function statusBeforeBody(headers: Readonly<Record<string, string>>): Promise<number> {
  const asked = request(`${gatewayUrl}/v1/events`, {
    method: 'POST',
    headers: { 'content-type': 'application/cloudevents+json', 'content-length': '5000', ...headers },
  })
  return new Promise((resolve, reject) => {
    asked.on('error', reject)
    asked.on('response', (answer) => {
      resolve(answer.statusCode ?? 0)
      asked.destroy()
    })
    asked.flushHeaders()
  })
}
