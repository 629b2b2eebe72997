/** `GET /v1/results/{topic}/{partition}/{offset}/explain`, against results that Flink has published. */
import { randomUUID } from 'node:crypto'
import { beforeAll, describe, expect, test, vi } from 'vitest'
import * as z from 'zod'
import { type Answer, call, conforms, itemsOf } from './contract.ts'

const route = 'GET /v1/results/:topic/:partition/:offset/explain'
const results = 'spend-per-customer'
const timeout = 120_000

const customers = Array.from({ length: 20 }, (_, number) => `customer-${number}-${randomUUID()}`)
const [ada = ''] = customers

let startMs = 0

beforeAll(async () => {
  // Event time goes on from wherever other tests have brought it.
  const [orders, published] = await Promise.all([timesIn('order.placed', 'at'), timesIn(results, 'windowEnd')])
  const latestMs = Math.max(Date.parse('2030-06-01T00:00:00Z'), ...orders, ...published)
  startMs = Math.ceil(latestMs / 10_000) * 10_000 + 3_600_000
})

const item = z.looseObject({
  ...{ partition: z.int(), offset: z.int() },
  event: z.looseObject({ id: z.string(), data: z.unknown() }),
})

/** The newest events of a topic, without what other tests leave there that is none. */
async function newestIn(topic: string) {
  const { body } = await call('GET', `/v1/events/latest?topic=${topic}&limit=1000`)
  return z
    .array(z.unknown())
    .parse(body['events'])
    .flatMap((one) => item.safeParse(one).data ?? [])
}

async function timesIn(topic: string, field: string): Promise<number[]> {
  return (await newestIn(topic)).flatMap(({ event }) => {
    const data = z.record(z.string(), z.unknown()).safeParse(event.data)
    const timeMs = Date.parse(String(data.data?.[field]))
    return Number.isNaN(timeMs) ? [] : [timeMs]
  })
}

type Order = { readonly customer: string; readonly amount: number; readonly second: number }

/** @returns the ids of the events, in the order of the orders */
async function order(orders: readonly Order[]): Promise<string[]> {
  const events = orders.map(({ customer, amount, second }) => ({
    ...{ specversion: '1.0', id: randomUUID(), source: '/explain', type: 'order.placed' },
    data: { customer, amount, at: new Date(startMs + second * 1_000).toISOString() },
  }))
  const answer = await call('POST', '/v1/events', {
    contentType: 'application/cloudevents-batch+json',
    body: JSON.stringify(events),
  })
  expect(answer.status).toBe(200)
  return events.map(({ id }) => id)
}

function isOf(customer: string, data: unknown): boolean {
  return z.object({ customer: z.literal(customer) }).safeParse(data).success
}

/** The results of a customer, once there are so many. */
async function resultsOf(customer: string, count: number) {
  return vi.waitUntil(
    async () => {
      const own = (await newestIn(results)).filter(({ event }) => isOf(customer, event.data))
      return own.length === count ? own : undefined
    },
    { timeout: 60_000, interval: 250 },
  )
}

async function explain(place: { partition: number | string; offset: number | string }, scopes?: readonly string[]) {
  const path = `/v1/results/${results}/${place.partition}/${place.offset}/explain`
  const answer = await call('GET', path, scopes && { scopes })
  conforms(route, answer)
  return answer
}

const idsOf = (answer: Answer): string[] => itemsOf(answer).map(({ event }) => event.id)
const matching = (pattern: RegExp): unknown => expect.stringMatching(pattern)

test('the very events that made a result are told, and no other', { timeout }, async () => {
  const everyone = (second: number) => customers.map((customer) => ({ customer, amount: 2, second }))
  const first = await order([...everyone(3), ...everyone(1), ...everyone(9)])
  // The filter takes out what is worth nothing; what lies beyond the window is in the next one.
  await order([{ customer: ada, amount: 0, second: 5 }, ...everyone(10), ...everyone(12)])
  await order(everyone(40))
  const [second, one] = await resultsOf(ada, 2)
  if (!one || !second) throw new RangeError('there are not two results')
  // After the window has closed: late, so that it made nothing.
  await order([{ customer: ada, amount: 100, second: 4 }])

  const answer = await explain(one)
  expect(answer.status).toBe(200)
  const mine = first.filter((_, index) => index % customers.length === 0)
  expect(idsOf(answer)).toEqual(mine)
  expect(answer.body).toMatchObject({
    ...{ topic: results, partition: one.partition, offset: one.offset, pipeline: results },
    ...{ revision: 1, counted: 3, late: 0, filtered: 1, found: 3, complete: true },
    window: { start: new Date(startMs).toISOString(), end: new Date(startMs + 10_000).toISOString() },
    result: one,
  })
  const [from, , to] = itemsOf(answer)
  expect(answer.body['sources']).toEqual([
    { topic: 'order.placed', partition: from?.partition, first: from?.offset, last: to?.offset },
  ])
  expect((await explain(second)).body).toMatchObject({ counted: 2, found: 2, complete: true })
})

describe('what is no result', () => {
  test('has a problem that says so', async () => {
    expect(await explain({ partition: 0, offset: 1_000_000_000 })).toMatchObject({
      status: 404,
      body: { detail: matching(/^nothing is at offset 1000000000 yet/) },
    })
    expect(await explain({ partition: 99, offset: 0 })).toMatchObject({ status: 404 })
    expect(await explain({ partition: 'x', offset: 0 })).toMatchObject({ status: 400 })
    expect(await explain({ partition: 0, offset: '9007199254740993' })).toMatchObject({ status: 400 })
  })

  test('is a topic to which no pipeline publishes, or none at all', async () => {
    for (const topic of ['order.placed', 'no.such.topic']) {
      const answer = await call('GET', `/v1/results/${topic}/0/0/explain`)
      expect(answer.status).toBe(404)
      conforms(route, answer)
    }
  })
})

test('only who may read the events is told them', { timeout }, async () => {
  const [one] = await resultsOf(ada, 2)
  if (!one) throw new RangeError('there is no result')
  expect(await explain(one, [`events:read:${results}`])).toMatchObject({ status: 403 })
  expect(await explain(one, ['events:read:order.placed'])).toMatchObject({ status: 403 })
  expect(await explain(one, [`events:read:${results}`, 'events:read:order.placed'])).toMatchObject({ status: 200 })
})
