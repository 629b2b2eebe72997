import { openProducer } from '@millrace/kafka/producer'
import { createLogger } from '@millrace/service/logger'
import { stack } from '@millrace/testkit/fixture'
import { beforeAll, expect, onTestFinished, test, vi } from 'vitest'
import * as z from 'zod'
import { createLiveTopics } from '../src/live-topics.ts'
import { createGatewayMetrics } from '../src/metrics.ts'
import { makeFreeType } from './free-type.ts'

const { connection } = stack()
const type = 'gateway-gap.made'
const topic = `${type}-topic`
const gapShape = z.strictObject({ gap: z.strictObject({ count: z.int(), from: z.string(), to: z.string() }) })
const frameShape = z.object({ event: z.object({ id: z.string() }), cursor: z.string() })

beforeAll(() => makeFreeType(type, null, 1))

/** The end of a connection whose reader can be made slow. */
function subscriber() {
  const frames: string[] = []
  const socket = {
    bufferedAmount: 0,
    send: (frame: string) => {
      frames.push(frame)
    },
    close: () => undefined,
    cork: () => undefined,
    uncork: () => undefined,
  }
  return { socket, frames: () => frames.map((frame) => z.union([gapShape, frameShape]).parse(JSON.parse(frame))) }
}

test('a slow subscriber is told how much it missed and where, though nothing follows; the others miss nothing', async () => {
  const metrics = createGatewayMetrics()
  const liveTopics = createLiveTopics(connection('gateway'), 1_000, metrics, createLogger('test', 'silent'))
  const producer = openProducer(connection('gateway'))
  onTestFinished(async () => {
    await liveTopics.close()
    await producer.close()
  })
  const send = (id: string) => {
    const attributes = {
      ce_specversion: '1.0',
      ce_id: id,
      ce_source: '/s',
      ce_type: type,
      ce_time: '2030-01-01T00:00:00Z',
    }
    const headers = new Map(Object.entries(attributes))
    return producer.send({ topic, value: Buffer.from('{}'), headers, timestampMs: Date.now() })
  }
  await liveTopics.follow(topic)
  const [slow, fast] = [subscriber(), subscriber()]
  liveTopics.subscribe(topic, slow.socket)
  const leave = liveTopics.subscribe(topic, fast.socket)

  await send('seen')
  await vi.waitUntil(() => slow.frames().length === 1, { timeout: 10_000 })
  slow.socket.bufferedAmount = 1_001
  for (const id of ['missed', 'missed too', 'missed as well']) await send(id)
  await vi.waitUntil(() => fast.frames().length === 4, { timeout: 10_000 })
  expect(slow.frames()).toHaveLength(1)

  slow.socket.bufferedAmount = 0
  await vi.waitUntil(() => slow.frames().length === 2, { timeout: 10_000 })
  const cursors = fast.frames().map((frame) => ('cursor' in frame ? frame.cursor : ''))
  expect(slow.frames()[1]).toEqual({ gap: { count: 3, from: cursors[0], to: cursors[3] } })

  await send('seen again')
  await vi.waitUntil(() => slow.frames().length === 3, { timeout: 10_000 })
  expect(slow.frames()[2]).toMatchObject({ event: { id: 'seen again' } })
  expect(fast.frames()).toHaveLength(5)
  const { body } = await metrics.exposition()
  expect(body).toMatch(/^millrace_stream_gap_events_total 3$/m)
  expect(body).toMatch(/^millrace_stream_subscribers 2$/m)
  leave()
  leave()
  expect((await metrics.exposition()).body).toMatch(/^millrace_stream_subscribers 1$/m)
})

test('a topic that there is not cannot be followed, now or later', async () => {
  const liveTopics = createLiveTopics(
    connection('gateway'),
    1_000,
    createGatewayMetrics(),
    createLogger('test', 'silent'),
  )
  onTestFinished(() => liveTopics.close())
  for (let attempt = 0; attempt < 2; attempt++) {
    await expect(liveTopics.follow('unheard-of')).rejects.toMatchObject({ code: 'kafka.unknown-topic' })
  }
})
