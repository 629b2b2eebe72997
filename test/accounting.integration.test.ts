/** What is stored, against what its readers say of it: `GET /v1/ledger`, and the gauge of what is missing. */
import { randomUUID } from 'node:crypto'
import { type Account, accountsTopic } from '@millrace/core/account'
import { openProducer } from '@millrace/kafka/producer'
import { sampleIn } from '@millrace/testkit/exposition'
import { stack } from '@millrace/testkit/fixture'
import { restartServer } from '@millrace/testkit/servers'
import { afterAll, expect, test, vi } from 'vitest'
import * as z from 'zod'
import { call, conforms } from './contract.ts'

const { connection, monitorUrl, stateDirectory } = stack()
const producer = openProducer(connection('admin'))
afterAll(() => producer.close())

const counts = z.object({
  reader: z.string(),
  ...{
    processed: z.int(),
    filtered: z.int(),
    late: z.int(),
    deadLettered: z.int(),
    loaded: z.int(),
    notAddressed: z.int(),
  },
})
const ledger = z.object({
  types: z.array(
    z.object({
      type: z.string(),
      accepted: z.int(),
      readers: z.array(counts.extend({ inFlight: z.int(), unaccounted: z.int().nullable() })),
    }),
  ),
  minutes: z.array(z.object({ type: z.string(), minute: z.string(), accepted: z.int(), readers: z.array(counts) })),
})

async function ledgerOf(type: string, query = '') {
  const answer = await call('GET', `/v1/ledger?type=${type}${query}`)
  conforms('GET /v1/ledger', answer)
  const { types, minutes } = ledger.parse(answer.body)
  return { total: types[0], minutes }
}

const until = <T>(find: () => Promise<T | undefined>) => vi.waitUntil(find, { timeout: 60_000, interval: 500 })

async function post(type: string, data: readonly object[]): Promise<void> {
  const events = data.map((one) => ({ specversion: '1.0', id: randomUUID(), source: '/accounting', type, data: one }))
  const body = JSON.stringify(events)
  const answer = await call('POST', '/v1/events', { contentType: 'application/cloudevents-batch+json', body })
  expect(answer.body['results']).toHaveLength(data.length)
  expect(answer.status).toBe(200)
}

async function gauge(type: string, reader: string): Promise<number> {
  const exposition = await (await fetch(`${monitorUrl}/metrics`)).text()
  return sampleIn(exposition, `millrace_ledger_unaccounted_events{type="${type}",reader="${reader}"}`)
}

const nothing = { processed: 0, filtered: 0, late: 0, deadLettered: 0, loaded: 0, notAddressed: 0 }

test('every event of a minute is accounted for at each of its readers', async () => {
  // No other test has events then; they come too late for windows, or not, depending on what was before.
  const at = (second: number) => `1999-07-01T10:20:${String(second).padStart(2, '0')}Z`
  const customer = `accounting-${randomUUID()}`
  const orders = [5, 5, 2_000_000, -1, -1].map((amount, index) => ({ customer, amount, at: at(index) }))
  await post('order.placed', orders)
  const wanted = '&from=1999-07-01T10:20:00Z&to=1999-07-01T10:21:00Z'
  const minute = await until(async () => {
    const { minutes } = await ledgerOf('order.placed', wanted)
    return minutes[0]?.readers.length === 2 ? minutes[0] : undefined
  })
  expect(minute).toMatchObject({ type: 'order.placed', minute: '1999-07-01T10:20:00Z', accepted: 5 })
  const [pipeline, handler] = minute.readers.toSorted((a, b) => (a.reader < b.reader ? -1 : 1))
  expect(handler).toEqual({ ...nothing, reader: 'worker/flag-large-orders', processed: 1, filtered: 4 })
  const taken = (pipeline?.processed ?? 0) + (pipeline?.late ?? 0)
  expect(pipeline).toMatchObject({ reader: 'flink/spend-per-customer', filtered: 2, deadLettered: 0, loaded: 0 })
  expect(taken).toBe(3)
})

test('an account that is held back drives the gauge away from 0, and the account itself brings it back', async () => {
  const type = `accounting.${randomUUID()}`
  await makeType(type)
  await post(type, [{}, {}, {}, {}, {}])
  const reader = 'worker/of-the-test'
  const minute = '2026-01-01T00:00:00Z'
  const account = (from: number, through: number, events: number): Promise<unknown> => {
    const counts = [{ minute, outcome: 'processed', events }] as const
    const told: Account = { reader, topic: type, partition: 0, from, through, beyond: 0, counts }
    const value = Buffer.from(JSON.stringify(told))
    return producer.send({
      ...{ topic: accountsTopic, key: Buffer.from(reader), value, headers: new Map() },
      timestampMs: Date.now(),
    })
  }
  const settles = (value: number) => until(async () => ((await gauge(type, reader)) === value ? true : undefined))
  await account(0, 2, 2)
  await settles(0)
  // It has passed all five, and tells of four.
  await account(2, 5, 2)
  await settles(1)
  expect((await ledgerOf(type)).total).toMatchObject({
    accepted: 5,
    readers: [{ reader, processed: 4, inFlight: 0, unaccounted: 1 }],
  })
  await restartServer(stateDirectory, 'monitor', 'SIGKILL')
  await settles(1)
  await account(4, 5, 1)
  await settles(0)
  const { total, minutes } = await ledgerOf(type)
  expect(total).toMatchObject({ accepted: 5, readers: [{ reader, processed: 5, inFlight: 0, unaccounted: 0 }] })
  expect(minutes.find((one) => one.minute === minute)?.readers).toEqual([{ ...nothing, reader, processed: 5 }])
})

test('what the stack has done so far is accounted for', async () => {
  await until(async () => {
    const { total } = await ledgerOf('order.placed')
    const told = total?.readers.filter(({ unaccounted }) => unaccounted !== null) ?? []
    return told.length >= 2 && told.every(({ unaccounted, inFlight }) => unaccounted === 0 && inFlight === 0)
      ? true
      : undefined
  })
  const { total } = await ledgerOf('order.placed')
  for (const { unaccounted, processed, filtered, late, deadLettered, notAddressed } of total?.readers ?? []) {
    if (unaccounted === null) continue
    expect(processed + filtered + late + deadLettered + notAddressed).toBe(total?.accepted)
  }
})

async function makeType(type: string): Promise<void> {
  const body = JSON.stringify({ format: 'json', schema: { type: 'object' }, partitions: 1 })
  const answer = await call('PUT', `/v1/event-types/${type}`, { contentType: 'application/json', body })
  expect(answer.status).toBe(201)
}
