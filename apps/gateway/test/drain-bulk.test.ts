import { setTimeout as delay } from 'node:timers/promises'
import { createLogger } from '@millrace/service/logger'
import { expect, onTestFinished, test } from 'vitest'
import * as z from 'zod'
import { createDrain } from '../src/drain.ts'
import type { Ingest } from '../src/ingest.ts'
import { createGatewayMetrics } from '../src/metrics.ts'
import { problem } from '../src/problem.ts'
import { publishRoute } from '../src/publish-route.ts'
import { createServer } from '../src/server.ts'

const place = { topic: 't', partition: 0, offset: 0, timestamp: '', schemaId: 1, source: 's', type: 't' }
const answerShape = z.object({
  accepted: z.number(),
  rejected: z.number(),
  unconfirmed: z.number(),
  results: z.array(z.object({ problem: z.object({ status: z.number() }).optional() })),
})
const bounds = {
  eventBytesMax: 1_000,
  batchBytesMax: 10_000,
  batchEventsMax: 10,
  bulkBytesMax: 100_000,
  bulkEventsMax: 1_000,
}

/** An instance that stores whatever it is sent. */
async function instance() {
  const app = createServer(createGatewayMetrics(), createLogger('test', 'silent'))
  const { drain, stopping } = createDrain(app)
  const ingest: Ingest = {
    accept: () => Promise.resolve({ status: 'accepted', receipt: { ...place, id: 'e', status: 'accepted' } } as const),
    refuse: (_submitted, told) => ({ status: 'rejected', id: null, problem: told }),
    giveUp: () => ({ status: 'unconfirmed', id: null, problem: problem(503, 'not confirmed') }),
  }
  publishRoute(app, ingest, bounds, stopping)
  app.post('/slow', () => 'taken')
  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  onTestFinished(() => app.close())
  return { drain, url }
}

/** A body that goes on until the test is over. */
async function* endless(piece: string) {
  for (let index = 0; index < 300; index++) {
    yield Buffer.from(piece)
    await delay(100)
  }
}

function send(url: string, body: AsyncGenerator<Buffer>): Promise<Response> {
  const headers = { 'content-type': 'application/x-ndjson' }
  const options = { method: 'POST', headers, body: ReadableStream.from(body), duplex: 'half' } as const
  return fetch(url, options)
}

test('a bulk load that goes on is ended by a drain: what was taken is answered, the rest may be sent again', async () => {
  const { drain, url } = await instance()
  const answering = send(`${url}/v1/events`, endless('{"id":"e"}\n'))
  await delay(300)
  const sinceMs = performance.now()
  const drained = drain()
  const answer = await answering
  expect(answer.status).toBe(207)
  expect(answer.headers.get('retry-after')).toBe('1')
  const { accepted, rejected, unconfirmed, results } = answerShape.parse(await answer.json())
  expect(accepted).toBeGreaterThan(2)
  expect(rejected).toBe(0)
  expect(unconfirmed).toBeGreaterThan(2)
  expect(results.at(-1)?.problem).toMatchObject({ status: 503 })
  await drained
  expect(performance.now() - sinceMs).toBeLessThan(6_000)
})

test('a body that arrives when there is no time left for it is to be sent again', async () => {
  const { drain, url } = await instance()
  const slow = async function* () {
    yield Buffer.from('{')
    await delay(2_000)
    yield Buffer.from('}')
  }
  const answering = send(`${url}/slow`, slow())
  await delay(100)
  const drained = drain()
  expect((await answering).status).toBe(503)
  await drained
})
