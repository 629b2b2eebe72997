import { mintToken } from '@millrace/stack/token'
import { stack } from '@millrace/testkit/fixture'
import { beforeAll, describe, expect, test, vi } from 'vitest'
import { deleteRecords } from '../../../packages/kafka/test/delete-records.ts'
import { encodeCursor } from '../src/cursor.ts'
import { batched, bearer, get, order, pageShape, post, problemOf, upgrade } from './api.ts'
import { knownAt, makeFreeType } from './free-type.ts'
import { type StreamedEvent, subscribe, subscribeEvents } from './stream-client.ts'

const { connection, gatewayUrls, issuerKeyFile } = stack()
const read = 'events:read:gateway-resume.*'
const patience = { timeout: 30_000 }

async function madeType(name: string, partitions = 4) {
  const type = `gateway-resume.${name}`
  await makeFreeType(type, '/key', partitions)
  const send = async (ids: readonly string[]) => {
    const events = ids.map((id, index) => order({ type, id, tenant: index % 2 ? 'odd' : 'even' }, { key: id, index }))
    expect((await post(events, { contentType: batched })).status).toBe(200)
  }
  return { topic: `${type}-topic`, send }
}

const numbered = (count: number, from = 0) => Array.from({ length: count }, (_, number) => `n${from + number}`)
let authorization = ''
beforeAll(async () => {
  authorization = (await bearer(read)).authorization
})

/** Each event once, and each partition without a hole and in order. */
function expectEachOnce(events: readonly StreamedEvent[], ids: readonly string[]): void {
  expect(events.map(({ event }) => String(event['id'])).sort()).toEqual(ids.toSorted())
  for (const partition of new Set(events.map((event) => event.partition))) {
    const offsets = events.filter((event) => event.partition === partition).map(({ offset }) => offset)
    expect(offsets).toEqual(offsets.map((_, index) => index))
  }
}

describe('a stream that begins in the past', () => {
  test('catches up, then is live, without loss or repetition', async () => {
    const { topic, send } = await madeType('past')
    await send(numbered(900))
    const { ids, events } = await subscribe(`topic=${topic}&from=earliest`, authorization)
    for (let from = 900; from < 1_500; from += 60) await send(numbered(60, from))
    await vi.waitUntil(() => ids().length >= 1_500, patience)
    expectEachOnce(events(), numbered(1_500))

    const middle = events()[700]
    const resumed = await subscribe(`topic=${topic}&from=${middle?.cursor}`, authorization)
    await vi.waitUntil(() => resumed.ids().length >= 799, patience)
    expect(new Set([...ids().slice(0, 701), ...resumed.ids()]).size).toBe(1_500)

    const since = await subscribe(`topic=${topic}&from=${middle?.timestamp}`, authorization)
    const expected = events().filter(({ timestamp }) => timestamp >= (middle?.timestamp ?? ''))
    await vi.waitUntil(() => since.ids().length >= expected.length, patience)
    expect(since.ids().sort()).toEqual(expected.map(({ event }) => event['id']).sort())
  })

  test('gives every event once and in order however often it is cut off and resumed under load', async () => {
    const { topic, send } = await madeType('cut')
    const total = 4_000
    let sent = 0
    const sending = (async () => {
      for (; sent < total; sent += 40) await send(numbered(40, sent))
    })()
    const got: StreamedEvent[] = []
    let from = 'earliest'
    let rounds = 0
    while (got.length < total) {
      const bySse = rounds++ % 3 === 2
      const query = `topic=${topic}&from=${bySse ? 'earliest' : from}`
      const enough = Math.min(total - got.length, 37 + ((rounds * 53) % 200))
      if (bySse) {
        const { events, leave, ended } = await subscribeEvents(query, { authorization, 'last-event-id': from })
        await vi.waitUntil(() => events().length >= enough, patience)
        leave()
        await ended
        got.push(...events())
      } else {
        const { socket, events, closed } = await subscribe(query, authorization)
        await vi.waitUntil(() => events().length >= enough, patience)
        socket.close()
        await closed
        got.push(...events())
      }
      from = got.at(-1)?.cursor ?? from
    }
    await sending
    expect(rounds).toBeGreaterThan(5)
    expectEachOnce(got, numbered(total))
  })

  test('behind retention begins with a gap that says how much is gone, and goes on', async () => {
    const { topic, send } = await madeType('gone', 1)
    await send(numbered(10))
    const { next } = pageShape.parse(await (await get(`/v1/events?topic=${topic}&limit=2`, read)).json())
    await deleteRecords(connection('admin'), topic, 0, 7n)
    const { frames, ids } = await subscribe(`topic=${topic}&from=${next}`, authorization)
    await vi.waitUntil(() => ids().length === 3, patience)
    expect(frames[0]).toEqual({ gap: { count: 5, from: next, to: encodeCursor(topic, new Map([[0, 7n]])) } })
    expect(ids()).toEqual(['n7', 'n8', 'n9'])
    const sse = await subscribeEvents(`topic=${topic}&from=${next}`, { authorization })
    await vi.waitUntil(() => sse.ids().length === 3, patience)
    expect(sse.received[1]).toMatchObject({ event: 'gap', data: JSON.stringify(frames[0]) })
  })
})

test.each(['one that was live on the topic', 'one that was not'])(
  'a stream that is resumed at another instance, %s, is told what is gone and goes on',
  async (which) => {
    const isLive = which.startsWith('one that was live')
    const { topic, send } = await madeType(`elsewhere-${isLive}`, 1)
    const elsewhere = gatewayUrls[1] ?? ''
    await knownAt(elsewhere, `gateway-resume.elsewhere-${isLive}`)
    if (isLive) await subscribe(`topic=${topic}`, authorization, elsewhere)
    const first = await subscribe(`topic=${topic}`, authorization, gatewayUrls[0])
    await send(numbered(10))
    await vi.waitUntil(() => first.ids().length === 10, patience)
    first.socket.close()
    const from = first.events()[2]?.cursor ?? ''
    await deleteRecords(connection('admin'), topic, 0, 7n)
    const gap = { gap: { count: 4, from, to: encodeCursor(topic, new Map([[0, 7n]])) } }
    const resumed = await subscribe(`topic=${topic}&from=${from}`, authorization, elsewhere)
    const events = await subscribeEvents(`topic=${topic}`, { authorization, 'last-event-id': from }, elsewhere)
    await vi.waitUntil(() => resumed.ids().length === 3 && events.ids().length === 3, patience)
    await send(numbered(1, 10))
    await vi.waitUntil(() => resumed.ids().length === 4 && events.ids().length === 4, patience)
    expect(resumed.frames[0]).toEqual(gap)
    expect(resumed.ids()).toEqual(['n7', 'n8', 'n9', 'n10'])
    expect(events.received[1]).toMatchObject({ event: 'gap', data: JSON.stringify(gap), id: gap.gap.to })
    expect(events.ids()).toEqual(['n7', 'n8', 'n9', 'n10'])
  },
)

describe('a filter', () => {
  test('lets through what has the attributes and the data that it names, live and from the past', async () => {
    const { topic, send } = await madeType('filter')
    await send(numbered(20))
    const queries = ['tenant=odd', 'where=/index:4', 'tenant=even&where=/key:n6&where=/index:6', 'tenant=none']
    const subscribers = await Promise.all(
      queries.map((query) => subscribe(`topic=${topic}&from=earliest&${query}`, authorization)),
    )
    await send(numbered(20, 20))
    const odd = numbered(40).filter((_, index) => index % 2)
    const expected = [odd, ['n4', 'n24'], ['n6'], []]
    await vi.waitUntil(
      () => subscribers.every(({ ids }, index) => ids().length >= (expected[index]?.length ?? 0)),
      patience,
    )
    expect(subscribers.map(({ ids }) => ids().sort())).toEqual(expected.map((ids) => ids.toSorted()))
    const sse = await subscribeEvents(`topic=${topic}&from=earliest&tenant=odd`, { authorization })
    await vi.waitUntil(() => sse.ids().length >= odd.length, patience)
    expect(sse.ids().sort()).toEqual(odd.toSorted())
  })

  test('tells the cursor from time to time though nothing matches', async () => {
    const { topic, send } = await madeType('silent')
    await send(numbered(5))
    const { frames } = await subscribe(`topic=${topic}&tenant=none&from=earliest`, authorization)
    await vi.waitUntil(() => frames.length > 0, patience)
    const [frame] = frames
    const page = await get(`/v1/events?topic=${topic}&from=${frame && 'cursor' in frame ? frame.cursor : ''}`, read)
    expect(pageShape.parse(await page.json()).events).toEqual([])
  })
})

describe('server-sent events', () => {
  test('have the cursor as their id, from the beginning on', async () => {
    const { topic, send } = await madeType('sse')
    const { answer, received, events, ids, leave } = await subscribeEvents(`topic=${topic}`, { authorization })
    expect(answer.headers.get('content-type')).toBe('text/event-stream')
    expect(answer.headers.get('cache-control')).toBe('no-store')
    await vi.waitUntil(() => received.length === 1, patience)
    leave()
    await send(numbered(3))
    const start = received[0]?.id ?? ''
    const resumed = await subscribeEvents(`topic=${topic}`, { authorization, 'last-event-id': start })
    await vi.waitUntil(() => resumed.ids().length === 3, patience)
    expect(resumed.received.slice(1).map(({ id }) => id)).toEqual(resumed.events().map(({ cursor }) => cursor))
    expect([events(), ids()]).toEqual([[], []])
  })

  test('end with a word of why when the token does', async () => {
    const { topic } = await madeType('expiry', 1)
    const token = await mintToken({ issuerKeyFile }, { subject: 'test', scopes: [read], ttlSeconds: 3 })
    const { received, ended } = await subscribeEvents(`topic=${topic}`, { authorization: `Bearer ${token}` })
    await ended
    expect(received.at(-1)).toMatchObject({
      event: 'end',
      data: '{"end":{"code":4401,"reason":"the token has expired"}}',
    })
  })
})

describe('a stream is refused with', () => {
  test('400 for a place that its topic does not have, or a filter that says nothing', async () => {
    const { topic } = await madeType('refused', 1)
    const foreign = encodeCursor('order.placed', new Map([[0, 0n]]))
    const beyond = encodeCursor(topic, new Map([[0, 99n]]))
    const queries = [`from=${foreign}`, `from=${beyond}`, 'from=', 'where=customer', 'Type=x', 'type=a&type=b', 'x-y=z']
    for (const query of queries) {
      const answer = await upgrade(`/v1/events/stream?topic=${topic}&${query}`, { authorization })
      expect(answer, query).toMatchObject({ status: 400, connection: 'close' })
      const path = `/v1/events/stream?topic=${topic}&${query}`
      await problemOf(
        await fetch(new URL(path, (await get('/health', 'ops:read')).url), {
          headers: { authorization, accept: 'text/event-stream' },
        }),
        400,
      )
    }
  })
})
