/** What holds between instances once retries are recognised and streams have cursors. */
import { stack } from '@millrace/testkit/fixture'
import { openBalancer } from '@millrace/testkit/balancer'
import { restartServer } from '@millrace/testkit/servers'
import { beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest'
import * as z from 'zod'

const { gatewayUrls, stateDirectory, token } = stack()
const [first = '', second = '', third = ''] = gatewayUrls

const receiptShape = z.object({ status: z.string(), partition: z.int(), offset: z.int() })
/** Where nothing has come for a while, a frame tells the cursor alone. */
const frameShape = z.object({ cursor: z.string(), event: z.object({ id: z.string() }).optional() })

let bearer = ''
beforeAll(async () => {
  bearer = `Bearer ${await token('events:write:*', 'events:read:*', 'catalog:read', 'catalog:write')}`
})

async function put(url: string, type: string): Promise<number> {
  const answer = await fetch(`${url}/v1/event-types/${type}`, {
    method: 'PUT',
    headers: { authorization: bearer, 'content-type': 'application/json' },
    body: JSON.stringify({ format: 'json', schema: { type: 'object' }, partitions: 3 }),
  })
  await answer.arrayBuffer()
  return answer.status
}

async function post(url: string, type: string, id: string): Promise<{ status: number; body: unknown }> {
  const answer = await fetch(`${url}/v1/events`, {
    method: 'POST',
    headers: { authorization: bearer, 'content-type': 'application/cloudevents+json' },
    body: JSON.stringify({ specversion: '1.0', source: `/gateways/${type}`, id, type, data: { id } }),
  })
  return { status: answer.status, body: await answer.json() }
}

async function stored(url: string, type: string, id: string) {
  const { status, body } = await post(url, type, id)
  expect(status).toBe(201)
  return receiptShape.parse(body)
}

async function knowsTheFirst(url: string, type: string, id: string, place: z.infer<typeof receiptShape>) {
  const { status, body } = await post(url, type, id)
  expect({ status, body }).toMatchObject({
    status: 200,
    body: { status: 'duplicate', partition: place.partition, offset: place.offset },
  })
}

/** From then on every instance must know of it. */
async function readableForASecond(url: string, type: string, id: string): Promise<void> {
  const isReadable = async () => {
    const answer = await fetch(`${url}/v1/events/latest?type=${type}&limit=10`, { headers: { authorization: bearer } })
    return (await answer.text()).includes(`"${id}"`)
  }
  await vi.waitUntil(isReadable, { timeout: 20_000, interval: 50 })
  const readableMs = performance.now()
  await vi.waitUntil(() => performance.now() > readableMs + 1_000, { timeout: 5_000, interval: 50 })
}

test('a type that is made at one instance is usable at the others within a second', async () => {
  expect(await put(first, 'gateways.made')).toBe(201)
  const usable = (url: string, index: number) =>
    vi.waitUntil(async () => (await post(url, 'gateways.made', `first at ${index}`)).status === 201, {
      timeout: 1_000,
      interval: 20,
    })
  await Promise.all(gatewayUrls.map(usable))
})

describe('a retry', () => {
  const type = 'gateways.retried'
  beforeAll(async () => {
    expect(await put(first, type)).toBe(201)
    await vi.waitUntil(async () => (await post(second, type, 'there')).status === 201, { timeout: 5_000 })
  })

  test('at another instance is told the first place, once the record has been readable for a second', async () => {
    const place = await stored(first, type, 'elsewhere')
    for (const url of [second, third]) await readableForASecond(url, type, 'elsewhere')
    for (const url of [second, third]) await knowsTheFirst(url, type, 'elsewhere', place)
  })

  test('at an instance that was killed and started again is told the first place', async () => {
    const place = await stored(third, type, 'before the kill')
    await restartServer(stateDirectory, 'gateway-3', 'SIGKILL')
    await knowsTheFirst(third, type, 'before the kill', place)
  })
})

const subscribers = 1_000

test('of 1000 subscribers over three instances, those of a killed one go on elsewhere: no event is lost or repeated', async () => {
  const type = 'gateways.followed'
  expect(await put(first, type)).toBe(201)
  const balancer = await openBalancer(gatewayUrls.map((url) => Number(new URL(url).port)))
  onTestFinished(balancer.close)
  await vi.waitUntil(async () => (await post(third, type, 'there')).status === 201, { timeout: 5_000 })
  const followers = Array.from({ length: subscribers }, () => follow(balancer.url, type))
  onTestFinished(() => {
    for (const follower of followers) follower.close()
  })
  await vi.waitUntil(() => followers.every(({ isOpen }) => isOpen()), { timeout: 60_000 })
  const ids: string[] = []
  const publish = async (count: number) => {
    for (let index = 0; index < count; index++) {
      ids.push(`e${ids.length}`)
      expect((await post(first, type, `e${ids.length - 1}`)).status).toBe(201)
    }
  }
  await publish(20)
  // Whoever has no cursor yet has nowhere to go on from.
  await vi.waitUntil(() => followers.every(({ seen }) => seen.length > 0), { timeout: 60_000, interval: 200 })
  const restarted = restartServer(stateDirectory, 'gateway-2', 'SIGKILL')
  await publish(20)
  await restarted
  await publish(20)
  const complete = () => followers.every(({ seen }) => seen.length >= ids.length)
  await vi.waitUntil(complete, { timeout: 60_000, interval: 200 })
  for (const { seen } of followers) expect(seen.toSorted()).toEqual(ids.toSorted())
  expect(followers.filter(({ resumed }) => resumed() > 0).length).toBeGreaterThan(subscribers / 10)
})

/** Follows a topic as a careful client does: where the connection breaks it goes on behind the last cursor that it has. */
function follow(url: string, topic: string) {
  const seen: string[] = []
  let cursor: string | undefined
  let [resumed, open, over] = [0, false, false]
  let socket: WebSocket | undefined
  const start = () => {
    const query = new URLSearchParams({ topic, ...(cursor !== undefined && { from: cursor }) })
    socket = new WebSocket(`${url.replace('http', 'ws')}/v1/events/stream?${query.toString()}`, [
      'bearer',
      bearer.slice(7),
    ])
    socket.addEventListener('open', () => (open = true))
    socket.addEventListener('message', ({ data }) => {
      const { cursor: behind, event } = frameShape.parse(JSON.parse(String(data)))
      cursor = behind
      if (event) seen.push(event.id)
    })
    socket.addEventListener('close', () => {
      if (over) return
      resumed += 1
      start()
    })
  }
  start()
  return {
    seen,
    isOpen: () => open,
    resumed: () => resumed,
    close: () => {
      over = true
      socket?.close()
    },
  }
}
