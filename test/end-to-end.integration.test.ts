import { readFile } from 'node:fs/promises'
import { replayForHeader } from '@millrace/core/replay'
import { openWarehouse } from '@millrace/connect/snowflake-sql'
import { openProducer } from '@millrace/kafka/producer'
import { stack } from '@millrace/testkit/fixture'
import * as z from 'zod'
import { beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest'

const { connection, gatewayUrl, token, warehouseUrl, warehouseKeyFile } = stack()

let bearer = ''
beforeAll(async () => {
  bearer = `Bearer ${await token('events:write:order.*', 'events:read:*', 'dlq:read:*')}`
})

function order(customer: string, amount: number, at: string) {
  return {
    specversion: '1.0',
    source: '/end-to-end',
    id: `${customer} ${at}`,
    type: 'order.placed',
    data: { customer, amount, items: 2, at },
  }
}

async function post(body: unknown, contentType = 'application/cloudevents+json'): Promise<Response> {
  const headers = { authorization: bearer, 'content-type': contentType }
  return fetch(`${gatewayUrl}/v1/events`, { method: 'POST', headers, body: JSON.stringify(body) })
}

async function latest(topic: string): Promise<Record<string, unknown>[]> {
  const answer = await fetch(`${gatewayUrl}/v1/events/latest?topic=${topic}&limit=1000`, {
    headers: { authorization: bearer },
  })
  return events.parse(await answer.json()).events
}

describe('an event', () => {
  test('is acknowledged with the place where an independent reader finds it', async () => {
    const answer = await post(order('ada', 12.5, '2030-01-01T00:00:01Z'))
    expect(answer.status).toBe(201)
    const receipt: unknown = await answer.json()
    expect(receipt).toMatchObject({ status: 'accepted', topic: 'order.placed', id: 'ada 2030-01-01T00:00:01Z' })
    const { partition, offset } = place.parse(receipt)
    const found = (await latest('order.placed')).find(
      (item) => item['partition'] === partition && item['offset'] === offset,
    )
    expect(found).toMatchObject({ event: { id: 'ada 2030-01-01T00:00:01Z', data: { customer: 'ada', amount: 12.5 } } })
  })

  test('in binary mode has its attributes in headers', async () => {
    const answer = await fetch(`${gatewayUrl}/v1/events`, {
      method: 'POST',
      headers: {
        authorization: bearer,
        'content-type': 'application/json',
        'ce-specversion': '1.0',
        'ce-id': 'binary',
        'ce-source': '/end-to-end',
        'ce-type': 'order.placed',
      },
      body: JSON.stringify(order('grace', 1, '2030-01-01T00:00:01Z').data),
    })
    expect(answer.status).toBe(201)
  })

  test('that does not fit its schema is refused with a pointer to each violation, and stored nowhere', async () => {
    const bad = { ...order('eve', 1, 'yesterday'), data: { customer: '', amount: 'much' } }
    const answer = await post(bad)
    expect(answer.status).toBe(422)
    expect(answer.headers.get('content-type')).toContain('application/problem+json')
    const { errors } = violations.parse(await answer.json())
    expect(errors.map((error) => error.pointer).sort()).toEqual(['/amount', '/at', '/customer'])
    expect(JSON.stringify(await latest('order.placed'))).not.toContain('"eve yesterday"')
  })

  test('in a batch is judged by itself', async () => {
    const answer = await post(
      [order('ada', 1, '2030-01-01T00:00:02Z'), { specversion: '1.0' }, order('ada', 2, '2030-01-01T00:00:03Z')],
      'application/cloudevents-batch+json',
    )
    expect(answer.status).toBe(207)
    expect(await answer.json()).toMatchObject({
      accepted: 2,
      rejected: 1,
      results: [{ status: 'accepted' }, { status: 'rejected', problem: { status: 400 } }, { status: 'accepted' }],
    })
  })
})

describe('a token', () => {
  const event = order('ada', 1, '2030-01-01T00:00:01Z')
  const withToken = (authorization: string | undefined) =>
    fetch(`${gatewayUrl}/v1/events`, {
      method: 'POST',
      headers: { 'content-type': 'application/cloudevents+json', ...(authorization && { authorization }) },
      body: JSON.stringify(event),
    })

  test('is needed', async () => {
    expect((await withToken(undefined)).status).toBe(401)
  })

  test('must be signed by the issuer', async () => {
    expect((await withToken(`${bearer.slice(0, -6)}AAAAAA`)).status).toBe(401)
  })

  test('must allow the type of the event', async () => {
    expect((await withToken(`Bearer ${await token('events:write:payment.*')}`)).status).toBe(403)
    expect((await withToken(`Bearer ${await token('events:read:*')}`)).status).toBe(403)
  })
})

/** Puts a record into the topic as a replay does: for the reader that gave it up, and for nobody else. */
async function replayed(reader: string, amount: number): Promise<void> {
  const { data, id, source, type } = order('lin', amount, '2031-01-01T00:00:47Z')
  const producer = openProducer(connection('admin'))
  onTestFinished(() => producer.close())
  await producer.send({
    topic: 'order.placed',
    key: Buffer.from('lin'),
    value: Buffer.from(JSON.stringify(data)),
    headers: new Map(
      Object.entries({ ce_id: id, ce_source: source, ce_type: type, ce_time: data.at, [replayForHeader]: reader }),
    ),
    timestampMs: Date.now(),
  })
}

test('a window becomes a result, a live event and a row in the warehouse, each once; what is late keeps its bytes, what is replayed for another reader is left out', async () => {
  const live: string[] = []
  const jwt = bearer.slice('Bearer '.length)
  const socket = new WebSocket(`${gatewayUrl.replace('http', 'ws')}/v1/events/stream?topic=spend-per-customer`, [
    'bearer',
    jwt,
  ])
  socket.addEventListener('message', ({ data }) => live.push(String(data)))
  await new Promise((resolve) => socket.addEventListener('open', resolve))

  for (const [amount, second] of [
    [10, '41'],
    [20.25, '45'],
    [0, '46'],
  ] as const) {
    expect((await post(order('lin', amount, `2031-01-01T00:00:${second}Z`))).status).toBe(201)
  }
  await replayed('worker/bill', 1_000)
  await replayed('flink/spend-per-customer', 5)
  // Two seconds of tolerated disorder after the end of the window at :50, and the partitions that are idle do not hold it up.
  expect((await post(order('lin', 1, '2031-01-01T00:01:20Z'))).status).toBe(201)
  const expected = { customer: 'lin', orders: 3, spent: 35.25, meanItems: 2, windowStart: '2031-01-01T00:00:40Z' }
  await vi.waitUntil(() => live.some((frame) => frame.includes('"lin"')), { timeout: 60_000 })
  expect(JSON.parse(live.find((frame) => frame.includes('"lin"')) ?? '')).toMatchObject({ event: { data: expected } })
  socket.close()

  expect((await post(order('lin', 99, '2031-01-01T00:00:42Z'))).status).toBe(201)
  await vi.waitUntil(async () => JSON.stringify(await latest('spend-per-customer.late')).includes('"amount":99'), {
    timeout: 60_000,
    interval: 500,
  })

  const warehouse = openWarehouse({
    url: warehouseUrl,
    account: 'MILLRACE',
    user: 'MILLRACE_CONNECT',
    role: 'MILLRACE_LOADER',
    privateKeyPem: await readFile(warehouseKeyFile, 'utf8'),
    timeoutMs: 30_000,
  })
  const rows = () =>
    warehouse.query(
      `SELECT "ORDERS", "SPENT", "MEAN_ITEMS" FROM "SHOP"."PUBLIC"."SPEND_PER_CUSTOMER" WHERE "CUSTOMER" = 'lin'`,
    )
  await vi.waitUntil(async () => (await rows()).length > 0, { timeout: 90_000, interval: 500 })
  expect(await rows()).toEqual([{ ORDERS: '3', SPENT: '35.25', MEAN_ITEMS: '2' }])
})

/** The few members of answers that the tests compute with. */
const place = z.object({ partition: z.number(), offset: z.number() })
const events = z.object({ events: z.array(z.record(z.string(), z.unknown())) })
const violations = z.object({ errors: z.array(z.object({ pointer: z.string() })) })
