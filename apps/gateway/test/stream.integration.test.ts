import { stack } from '@millrace/testkit/fixture'
import { mintToken } from '@millrace/stack/token'
import { beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest'
import * as z from 'zod'
import { accepted, batched, bearer, get, itemShape, order, post, problemOf, upgrade } from './api.ts'
import { makeFreeType } from './free-type.ts'

const { gatewayUrl, issuerKeyFile, token } = stack()
const type = 'gateway-stream.made'
const topic = `${type}-topic`
const path = `/v1/events/stream?topic=${topic}`
const read = 'events:read:gateway-stream.*'
const frameShape = itemShape.extend({ cursor: z.string() })

beforeAll(() => makeFreeType(type, '/key', 3))

/** Subscribes, and gathers the frames until the test ends. */
async function subscribe(options: string[] | { headers: Record<string, string> }) {
  const socket = new WebSocket(gatewayUrl.replace('http', 'ws') + path, options)
  onTestFinished(() => socket.close())
  const texts: string[] = []
  socket.addEventListener('message', ({ data }) => texts.push(String(data)))
  const closed = new Promise<{ code: number; reason: string }>((resolve) => socket.addEventListener('close', resolve))
  await new Promise<void>((resolve, reject) => {
    socket.addEventListener('open', () => resolve())
    socket.addEventListener('error', () => reject(new Error('not subscribed')))
  })
  const frames = () => texts.map((text) => frameShape.parse(JSON.parse(text)))
  return { socket, frames, ids: () => frames().map(({ event }) => event['id']), closed }
}

describe('a live stream', () => {
  test('sends each event as one frame, with its place and the cursor after it', async () => {
    const { frames, socket } = await subscribe(['bearer', await token(read)])
    expect(socket.protocol).toBe('bearer')
    const receipt = await accepted(order({ type, id: 'frame', subject: 's' }, { key: 'k' }))
    await vi.waitUntil(() => frames().length > 0, { timeout: 10_000 })
    const { partition, offset, timestamp } = receipt
    expect(frames()).toHaveLength(1)
    expect(frames()[0]).toMatchObject({ event: { id: 'frame', subject: 's' }, partition, offset, timestamp })
    const latest = z
      .object({ events: z.array(itemShape), cursor: z.string() })
      .parse(await (await get(`/v1/events/latest?topic=${topic}&limit=1`, read)).json())
    expect(frames()[0]).toEqual({ ...latest.events[0], cursor: latest.cursor })
  })

  test('takes its token from a header too', async () => {
    const { ids } = await subscribe({ headers: await bearer(read) })
    await accepted(order({ type, id: 'header' }))
    await vi.waitUntil(() => ids().length > 0, { timeout: 10_000 })
    expect(ids()).toEqual(['header'])
  })

  test('brings every event once to each of many subscribers, those of a key in their order', async () => {
    const protocols = ['bearer', await token(read)]
    const subscribers = await Promise.all(Array.from({ length: 25 }, () => subscribe(protocols)))
    const sentIds = Array.from({ length: 300 }, (_, number) => `m${number}`)
    const sent = sentIds.map((id, number) => order({ type, id }, { key: number % 7 }))
    for (let from = 0; from < sent.length; from += 60) {
      expect((await post(sent.slice(from, from + 60), { contentType: batched })).status).toBe(200)
    }
    await accepted(order({ type, id: 'last' }, { key: 0 }))
    const settled = () => subscribers.every(({ ids }) => ids().length >= sent.length + 1)
    await vi.waitUntil(settled, { timeout: 20_000, interval: 200 })
    const expected = [...sentIds, 'last'].sort()
    for (const { ids, frames } of subscribers) {
      expect(ids().sort()).toEqual(expected)
      const ofKey = frames().flatMap(({ event, offset }) => (keyOf(event) === 3 ? [{ id: event['id'], offset }] : []))
      expect(ofKey.map(({ id }) => id)).toEqual(sentIds.filter((_, number) => number % 7 === 3))
    }
  })

  test('ends with 4401 when its token does', async () => {
    const claims = { subject: 'test', scopes: [read], ttlSeconds: 3 }
    const { closed } = await subscribe(['bearer', await mintToken({ issuerKeyFile }, claims)])
    expect(await closed).toMatchObject({ code: 4401, reason: 'the token has expired' })
  })

  test('is closed on a subscriber that sends more than it has to say', async () => {
    const { socket, closed } = await subscribe(['bearer', await token(read)])
    socket.send('x'.repeat(2_000))
    expect((await closed).code).toBe(1009)
  })

  test('is closed on a subscriber that does not stop talking', async () => {
    const { socket, closed } = await subscribe(['bearer', await token(read)])
    for (let number = 0; number < 100; number++) socket.send('hello')
    expect((await closed).code).toBe(1008)
  })
})

describe('before the upgrade a subscriber is refused with', () => {
  const contentType = 'application/problem+json; charset=utf-8'

  test('401 without a valid token', async () => {
    expect(await upgrade(path, {})).toMatchObject({ status: 401, contentType, authenticate: 'Bearer' })
    const forged = { status: 401, connection: 'close' }
    expect(await upgrade(path, { authorization: 'Bearer a.b.c' })).toMatchObject(forged)
    expect(await upgrade(path, { 'sec-websocket-protocol': 'bearer, a.b.c' })).toMatchObject({ status: 401 })
    expect(await upgrade(path, { 'sec-websocket-protocol': await token(read) })).toMatchObject({ status: 401 })
  })

  test('403 without the scope', async () => {
    expect(await upgrade(path, await bearer('events:read:order.*', 'events:write:*'))).toMatchObject({ status: 403 })
    const dead = '/v1/events/stream?topic=order.placed.dlq'
    expect(await upgrade(dead, await bearer('events:read:*'))).toMatchObject({ status: 403, contentType })
    expect(await upgrade(dead, await bearer('dlq:read:order.*'))).toMatchObject({ status: 101 })
  })

  test('404 for a topic that is unknown or internal', async () => {
    for (const hidden of ['unheard-of', '__consumer_offsets', 'millrace-catalog']) {
      const answer = await upgrade(`/v1/events/stream?topic=${hidden}`, await bearer('events:read:*', 'dlq:read:*'))
      expect(answer).toMatchObject({ status: 404, contentType })
    }
  })

  test('400 without a topic, or from where no stream begins', async () => {
    expect(await upgrade('/v1/events/stream', await bearer('events:read:*'))).toMatchObject({ status: 400 })
    expect(await upgrade(`${path}&from=yesterday`, await bearer(read))).toMatchObject({ status: 400 })
    await problemOf(await get(path, read), 400)
  })
})

function keyOf(event: Readonly<Record<string, unknown>>): unknown {
  return z.object({ key: z.unknown() }).parse(event['data']).key
}
