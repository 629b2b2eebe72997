/** What Flink, workers and Connect give up is a dead letter in the one form, beside those of the gateway. */
import { randomUUID } from 'node:crypto'
import { openProducer } from '@millrace/kafka/producer'
import { stack } from '@millrace/testkit/fixture'
import { afterAll, expect, test, vi } from 'vitest'
import * as z from 'zod'
import { call, conforms } from './contract.ts'

const { connection } = stack()
const producer = openProducer(connection('admin'))
afterAll(() => producer.close())

const page = z.object({ deadLetters: z.array(z.record(z.string(), z.unknown())) })

async function lettersOf(topic: string, id: string) {
  const answer = await call('GET', `/v1/dead-letters?topic=${topic}&id=${id}`)
  conforms('GET /v1/dead-letters', answer)
  return page.parse(answer.body).deadLetters
}

test.each([
  ['order.placed', { by: 'flink/spend-per-customer', reason: 'malformed' }],
  ['order.placed', { by: 'worker/flag-large-orders', reason: 'malformed' }],
  ['spend-per-customer', { by: 'connect/snowflake-spend-per-customer', reason: 'undecodable' }],
])('bytes in %s that nobody can read: %o', async (topic, said) => {
  const id = randomUUID()
  const headers = new Map(
    Object.entries({ ce_id: id, ce_source: '/origins', ce_type: topic, ce_time: '2030-01-01T00:00:00Z' }),
  )
  const value = Buffer.from([0x7b, 0xff, 0xfe])
  const sentAt = Date.now()
  const { partition, offset } = await producer.send({
    topic,
    key: Buffer.from('k'),
    value,
    headers,
    timestampMs: 1_000,
  })
  const [letter] = await vi.waitUntil(
    async () => {
      const letters = (await lettersOf(topic, id)).filter(({ by }) => by === said.by)
      return letters.length > 0 ? letters : undefined
    },
    { timeout: 60_000, interval: 500 },
  )
  expect(letter).toMatchObject({
    ...said,
    ...{ id, source: '/origins', type: topic, replays: 0, sealed: false },
    ...{ origin: { topic, partition, offset: Number(offset) }, data_base64: value.toString('base64') },
  })
  // Whoever wrote it, it has the time of the failure.
  expect(Date.parse(z.string().parse(letter?.['failedAt']))).toBeGreaterThan(sentAt - 60_000)
  const body = JSON.stringify({ topic, ids: [id] })
  const replayed = await call('POST', '/v1/dead-letters/replay', { contentType: 'application/json', body })
  conforms('POST /v1/dead-letters/replay', replayed)
  expect(replayed.body).toMatchObject({ replayed: 0, notFound: 0 })
  expect(replayed.body['invalid']).toBeGreaterThan(0)
})
