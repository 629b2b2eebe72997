/** Attacks that ask for nothing wrong, only for too much or too slowly. The limits are those that the gateway has unless told otherwise. */
import { connect } from 'node:net'
import { stack } from '@millrace/testkit/fixture'
import { exchange } from '@millrace/testkit/raw-http'
import { type SlowSubscriber, subscribeSlowly } from '@millrace/testkit/slow-subscriber'
import { expect, onTestFinished, test, vi } from 'vitest'
import { goodTraffic, scraped } from './beside.ts'

const { gatewayUrls, token } = stack()
/** One that no other test asks much of. */
const gatewayUrl = gatewayUrls[2] ?? ''
const mebibyte = 1_048_576
const headersTimeoutMs = 10_000
const requestTimeoutMs = 30_000
/** Connections are looked at once a second; the rest is for a machine that has much to do. */
const graceMs = 4_000
const idleConnections = 2_000
const slowOfAKind = 100

/** What an attacker got, and after how long the connection was closed. */
async function timed(bytes: string, part?: string) {
  const since = performance.now()
  const trickle = part === undefined ? {} : { trickle: { parts: Array<string>(300).fill(part), pauseMs: 250 } }
  const { statuses, closed } = await exchange(gatewayUrl, bytes, { deadlineMs: 60_000, ...trickle })
  return { statuses, closed, afterMs: performance.now() - since }
}

/** Connections that say nothing, opened some at a time so that none waits in the kernel. @returns after how long each was closed */
async function silence(count: number): Promise<number[]> {
  const { hostname, port } = new URL(gatewayUrl)
  const closed: Promise<number>[] = []
  for (let at = 0; at < count; at += 100) {
    const open = Array.from({ length: 100 }, () => {
      const socket = connect({ host: hostname, port: Number(port) })
      socket.on('error', () => undefined) // a reset: `close` follows
      const connected = new Promise<number>((resolve) => socket.on('connect', () => resolve(performance.now())))
      const close = new Promise<number>((resolve) => socket.on('close', () => resolve(performance.now())))
      socket.resume()
      closed.push(Promise.all([connected, close]).then(([begin, end]) => end - begin))
      return connected
    })
    await Promise.all(open)
  }
  return Promise.all(closed)
}

test(
  'thousands that say nothing, and hundreds that say it byte by byte, are closed when their time is up',
  { timeout: 120_000 },
  async () => {
    const good = await token('events:write:*')
    const traffic = goodTraffic(gatewayUrl, `Bearer ${good}`)
    const before = await scraped(gatewayUrl)
    const post = `POST /v1/events HTTP/1.1\r\nhost: a\r\nauthorization: Bearer ${good}\r\ncontent-type: application/cloudevents+json\r\n`
    const slowly = (bytes: string, part: string) =>
      Promise.all(Array.from({ length: slowOfAKind }, () => timed(bytes, part)))
    const [silent, headers, bodies, chunks] = await Promise.all([
      silence(idleConnections),
      slowly('GET /v1/event-types HTTP/1.1\r\nhost: a\r\nx-slow: ', 'a'),
      slowly(`${post}content-length: 500\r\n\r\n`, ' '),
      slowly(`${post}transfer-encoding: chunked\r\n\r\n`, '1\r\n \r\n'),
    ])
    const statuses = await traffic.stop()
    const after = await scraped(gatewayUrl)

    expect(silent).toHaveLength(idleConnections)
    expect(Math.max(...silent)).toBeLessThan(headersTimeoutMs + graceMs)
    for (const [attackers, timeoutMs] of [
      [headers, headersTimeoutMs],
      [bodies, requestTimeoutMs],
      [chunks, requestTimeoutMs],
    ] as const) {
      for (const attacker of attackers) expect(attacker).toMatchObject({ statuses: [408], closed: true })
      expect(Math.max(...attackers.map(({ afterMs }) => afterMs))).toBeLessThan(timeoutMs + graceMs)
    }
    expect(after.startedAt).toBe(before.startedAt)
    expect(statuses.length).toBeGreaterThan(10)
    expect(statuses.filter((status) => status !== 201)).toEqual([])
    expect(after.rssBytes - before.rssBytes).toBeLessThan(128 * mebibyte)
  },
)

test(
  'readers that do not read, more than there is room for, cost no more than the room, and who reads has everything',
  { timeout: 120_000 },
  async () => {
    const type = 'attack.large'
    const authorization = `Bearer ${await token('events:write:*', 'events:read:*', 'catalog:write')}`
    const definition = { format: 'json', schema: { type: 'object' }, partitions: 1, key: '/key' }
    const put = await fetch(`${gatewayUrl}/v1/event-types/${type}`, {
      method: 'PUT',
      headers: { authorization, 'content-type': 'application/json' },
      body: JSON.stringify(definition),
    })
    expect(put.status).toBeLessThanOrEqual(201)
    const before = await scraped(gatewayUrl)
    const url = `${gatewayUrl}/v1/events/stream?topic=${type}`
    // With a filter nothing of what waits is the same for two of them.
    const slow = ['', '&where=/key:one'].flatMap((filter) =>
      (['websocket', 'sse'] as const).map((kind) => ({ kind, url: `${url}${filter}` })),
    )
    for (let round = 0; round < 30; round++) {
      const some = await Promise.all(slow.map((one) => subscribeSlowly(one.url, authorization, one.kind)))
      for (const { leave } of some) onTestFinished(leave)
    }
    const reader = await subscribeSlowly(url, authorization, 'sse')
    onTestFinished(reader.leave)
    reader.read()

    const traffic = goodTraffic(gatewayUrl, authorization)
    const samples: Awaited<ReturnType<typeof scraped>>[] = []
    const large = 'x'.repeat(mebibyte / 4)
    for (let sent = 0; sent < 100; sent += 10) {
      const events = Array.from({ length: 10 }, (_, index) => {
        return { specversion: '1.0', id: `n${sent + index}`, source: '/attack', type, data: { key: 'one', large } }
      })
      const answer = await fetch(`${gatewayUrl}/v1/events`, {
        method: 'POST',
        headers: { authorization, 'content-type': 'application/cloudevents-batch+json' },
        body: JSON.stringify(events),
      })
      expect(answer.status).toBe(200)
      samples.push(await scraped(gatewayUrl))
    }
    // Who comes now waits with what it has missed until there is room.
    const late = await subscribeSlowly(`${url}&from=earliest`, authorization, 'sse')
    onTestFinished(late.leave)
    late.read()
    const idsOf = ({ texts }: SlowSubscriber) =>
      texts().flatMap((text) => /^{"event":{.*?"id":"(n\d+)"/.exec(text)?.[1] ?? text)
    await vi.waitUntil(() => idsOf(reader).length >= 100, { timeout: 20_000, interval: 500 })
    const statuses = await traffic.stop()
    const sent = Array.from({ length: 100 }, (_, number) => `n${number}`)
    expect(idsOf(reader)).toEqual(sent)

    const waiting = samples.map(({ sample }) => sample('millrace_stream_buffers_bytes'))
    const rssGrowth = Math.max(...samples.map(({ rssBytes }) => rssBytes)) - before.rssBytes
    console.log(
      `120 readers that do not read: ${Math.round(Math.max(...waiting) / mebibyte)} MiB waited for them, ` +
        `RSS grew by ${Math.round(rssGrowth / mebibyte)} MiB beside ${statuses.length} good requests`,
    )
    // 120 times what one may have would be 480 MiB: what all may have was the bound, but for a last batch of each.
    expect(Math.max(...waiting)).toBeGreaterThan(128 * mebibyte)
    expect(Math.max(...waiting)).toBeLessThan(360 * mebibyte)
    expect(rssGrowth).toBeLessThan(512 * mebibyte)
    expect(statuses.filter((status) => status !== 201)).toEqual([])
    const subscribers = async () => (await scraped(gatewayUrl)).sample('millrace_stream_subscribers')
    const all = before.sample('millrace_stream_subscribers') + 2
    await vi.waitUntil(async () => (await subscribers()) === all, { timeout: 45_000, interval: 500 })
    await vi.waitUntil(() => idsOf(late).length >= 100, { timeout: 20_000, interval: 500 })
    expect(idsOf(late)).toEqual(sent)
  },
)
