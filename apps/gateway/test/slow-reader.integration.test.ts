import { sampleIn } from '@millrace/testkit/exposition'
import { stack } from '@millrace/testkit/fixture'
import { type StreamKind, subscribeSlowly } from '@millrace/testkit/slow-subscriber'
import { beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest'
import * as z from 'zod'
import { accepted, batched, bearer, get, order, pageShape, post } from './api.ts'
import { knownAt, makeFreeType } from './free-type.ts'
import { subscribe } from './stream-client.ts'

const { gatewayUrls } = stack()
/** One that no other test asks much of. */
const gatewayUrl = gatewayUrls[1] ?? ''
const mebibyte = 1_048_576
const bufferBytesMax = 4 * mebibyte
const read = 'events:read:gateway-slow.*'
const large = 'x'.repeat(mebibyte / 4)
const gapShape = z.strictObject({ gap: z.strictObject({ count: z.int(), from: z.string(), to: z.string() }) })
const frameShape = z.union([gapShape, z.object({ event: z.object({ id: z.string() }), cursor: z.string() })])

let authorization = ''
beforeAll(async () => {
  authorization = (await bearer(read)).authorization
})

async function madeTopic(name: string) {
  const type = `gateway-slow.${name}`
  await makeFreeType(type, '/key', 1)
  await knownAt(gatewayUrl, type)
  /** 256 KiB each. */
  const send = async (count: number) => {
    const ids = Array.from({ length: count }, (_, number) => `n${number}`)
    for (let at = 0; at < count; at += 20) {
      const events = ids.slice(at, at + 20).map((id) => order({ type, id }, { key: 'one', large }))
      expect((await post(events, { contentType: batched })).status).toBe(200)
    }
    return ids
  }
  return { type, topic: `${type}-topic`, send }
}

async function slowSubscriber(topic: string, kind: StreamKind) {
  const slow = await subscribeSlowly(`${gatewayUrl}/v1/events/stream?topic=${topic}`, authorization, kind)
  onTestFinished(slow.leave)
  return { ...slow, frames: () => slow.texts().map((text) => frameShape.parse(JSON.parse(text))) }
}

/** A sample of the gateway's own account. */
async function metric(name: string): Promise<number> {
  const answer = await fetch(`${gatewayUrl}/metrics`, { headers: await bearer('metrics:read') })
  return sampleIn(await answer.text(), name)
}
const subscribers = () => metric('millrace_stream_subscribers')

describe('a subscriber that does not read', () => {
  test.each(['websocket', 'sse'] as const)(
    'by %s has a bounded buffer, and once it reads is told how much it missed and where',
    async (kind) => {
      const { type, topic, send } = await madeTopic(kind)
      const slow = await slowSubscriber(topic, kind)
      const honest = await slowSubscriber(topic, 'sse')
      honest.read()
      const missedBefore = await metric('millrace_stream_gap_events_total')
      const ids = await send(100)
      // What comes once it reads again could be missed again.
      await vi.waitUntil(() => honest.frames().length >= ids.length, { timeout: 20_000 })
      honest.leave()
      expect(await metric('millrace_stream_gap_events_total')).toBeGreaterThan(missedBefore)
      const waiting = await metric('millrace_stream_buffers_bytes')
      expect(waiting).toBeGreaterThan(0)
      expect(waiting).toBeLessThan(bufferBytesMax + mebibyte)

      slow.read()
      const gapAt = () => slow.frames().findIndex((frame) => 'gap' in frame)
      await vi.waitUntil(() => gapAt() >= 0, { timeout: 20_000 })
      await accepted(order({ type, id: 'after' }, { key: 'one' }))
      const last = () => slow.frames().at(-1)
      await vi.waitUntil(() => isEvent(last(), 'after'), { timeout: 20_000 })

      const frames = slow.frames()
      const { gap } = gapShape.parse(frames[gapAt()])
      const received = frames.flatMap((frame) => ('event' in frame ? [frame.event.id] : []))
      expect(frames.filter((frame) => 'gap' in frame)).toHaveLength(1)
      expect(received.length + gap.count).toBe(ids.length + 1)
      const missed = await pageOf(topic, gap.from, gap.count)
      expect([...received.slice(0, gapAt()), ...missed.ids, ...received.slice(gapAt())]).toEqual([...ids, 'after'])
      expect(missed.next).toBe(gap.to)
    },
  )

  test('is sent away though it says that it lives; so is one that answers no ping, and no other', async () => {
    const { type, topic, send } = await madeTopic('deaf')
    const before = await subscribers()
    const honest = await subscribe(`topic=${topic}`, authorization, gatewayUrl)
    const mute = await slowSubscriber(topic, 'websocket')
    mute.read()
    const deaf = await slowSubscriber(topic, 'websocket')
    const pongs = setInterval(deaf.pong, 1_000)
    onTestFinished(() => clearInterval(pongs))
    await slowSubscriber(topic, 'sse')
    expect(await subscribers()).toBe(before + 4)
    await send(100)
    // Two heartbeats, and the time to say why.
    await vi.waitUntil(async () => (await subscribers()) === before + 1, { timeout: 45_000, interval: 500 })
    await Promise.all([mute.closed, deaf.closed])
    expect(honest.socket.readyState).toBe(WebSocket.OPEN)
    await accepted(order({ type, id: 'after' }, { key: 'one' }))
    await vi.waitUntil(() => honest.ids().includes('after'), { timeout: 10_000 })
  })
})

async function pageOf(topic: string, from: string, count: number) {
  const ids: unknown[] = []
  let next = from
  while (ids.length < count) {
    const answer = await get(`/v1/events?topic=${topic}&from=${next}&limit=${count - ids.length}`, read)
    const page = pageShape.parse(await answer.json())
    ids.push(...page.events.map(({ event }) => event['id']))
    next = page.next
  }
  return { ids, next }
}

function isEvent(frame: z.infer<typeof frameShape> | undefined, id: string): boolean {
  return frame !== undefined && 'event' in frame && frame.event.id === id
}
