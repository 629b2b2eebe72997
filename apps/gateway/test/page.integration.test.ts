import { stack } from '@millrace/testkit/fixture'
import { beforeAll, describe, expect, test } from 'vitest'
import { deleteRecords } from '../../../packages/kafka/test/delete-records.ts'
import { encodeCursor } from '../src/cursor.ts'
import { batched, get, latestShape, order, pageShape, post, problemOf } from './api.ts'
import { makeFreeType } from './free-type.ts'

const { connection } = stack()
const type = 'gateway-page.made'
const topic = `${type}-topic`
const read = 'events:read:gateway-page.*'
const count = 200
const sentIds = Array.from({ length: count }, (_, number) => `p${number}`)

beforeAll(async () => {
  await makeFreeType(type, '/key', 4)
  await send(type, sentIds)
})

/** In batches of ten, each after the other, so that later ones have later timestamps. */
async function send(of: string, ids: readonly string[]): Promise<void> {
  for (let from = 0; from < ids.length; from += 10) {
    const events = ids.slice(from, from + 10).map((id) => order({ type: of, id }, { key: id }))
    expect((await post(events, { contentType: batched })).status).toBe(200)
  }
}

async function page(query: string, of = topic) {
  const answer = await get(`/v1/events?topic=${of}&${query}`, read)
  expect(answer.status).toBe(200)
  return pageShape.parse(await answer.json())
}

/** All pages from a place on, until one is empty. */
async function pages(from: string, limit: number, of = topic) {
  const items = []
  for (let next = from; ;) {
    const { events, next: after } = await page(`from=${next}&limit=${limit}`, of)
    expect(events.length).toBeLessThanOrEqual(limit)
    if (events.length === 0) return { items, next: after }
    items.push(...events)
    next = after
  }
}

describe('paging forwards', () => {
  test.each([1, 7, 50, 1_000])(
    'gives every event once, oldest first over all partitions, %i at a time',
    async (limit) => {
      const { items } = await pages('earliest', limit)
      expect(items.map(({ event }) => event['id']).sort()).toEqual(sentIds.toSorted())
      const times = items.map(({ timestamp }) => timestamp)
      expect(times).toEqual(times.toSorted())
      for (let partition = 0; partition < 4; partition++) {
        const offsets = items.filter((item) => item.partition === partition).map(({ offset }) => offset)
        expect(offsets).toEqual(offsets.map((_, index) => index))
      }
    },
  )

  test('at the end gives the same cursor again, from which what comes later is read', async () => {
    const { next } = await pages('earliest', 1_000)
    expect(await page(`from=${next}`)).toEqual({ topic, events: [], cursor: next, next })
    const latest = latestShape.parse(await (await get(`/v1/events/latest?topic=${topic}&limit=1`, read)).json())
    expect(latest.cursor).toBe(next)
    await send(type, ['later'])
    sentIds.push('later')
    const { events } = await page(`from=${next}`)
    expect(events.map(({ event }) => event['id'])).toEqual(['later'])
  })

  test('begins at a time: with the first event that was received then or later', async () => {
    const { items } = await pages('earliest', 1_000)
    const middle = items[100]
    const { items: later } = await pages(encodeURIComponent(middle?.timestamp ?? ''), 1_000)
    expect(later).toEqual(items.filter(({ timestamp }) => timestamp >= (middle?.timestamp ?? '')))
    expect((await page('from=2999-01-01T00:00:00Z')).events).toEqual([])
  })

  test('begins at the earliest event, with fifty, unless asked otherwise', async () => {
    const { events } = await page('')
    expect(events).toHaveLength(50)
    expect(events).toEqual((await page('from=earliest&limit=50')).events)
  })

  test('goes on in a topic whose cursor was made when it had fewer partitions, and refuses one with more', async () => {
    const none = encodeCursor(topic, new Map([[0, 0n]]))
    expect((await pages(none, 1_000)).items).toHaveLength(sentIds.length)
    const more = encodeCursor(topic, new Map(Array.from({ length: 5 }, (_, partition) => [partition, 0n])))
    await problemOf(await get(`/v1/events?topic=${topic}&from=${more}`, read), 400)
  })

  test('takes large events a few at a time', async () => {
    const large = 'gateway-page.large'
    await makeFreeType(large, null, 2)
    const text = 'x'.repeat(900_000)
    for (let number = 0; number < 20; number++) {
      expect((await post(order({ type: large, id: String(number) }, { text }))).status).toBe(201)
    }
    const first = await page('from=earliest&limit=1000', `${large}-topic`)
    expect(first.events.length).toBeGreaterThan(0)
    expect(first.events.length).toBeLessThan(20)
    const { items } = await pages(first.next, 1_000, `${large}-topic`)
    expect([...first.events, ...items].map(({ event }) => event['id'])).toEqual(
      Array.from({ length: 20 }, (_, number) => String(number)),
    )
    const latest = latestShape.parse(await (await get(`/v1/events/latest?type=${large}&limit=1000`, read)).json())
    const newest = Array.from({ length: latest.events.length }, (_, number) => String(19 - number))
    expect(latest.events.map(({ event }) => event['id'])).toEqual(newest)
    expect(newest.length).toBeGreaterThan(5)
  })

  test('is refused with 410 behind retention, with a cursor from where it can go on', async () => {
    const short = 'gateway-page.short'
    await makeFreeType(short, null, 1)
    await send(short, ['a', 'b', 'c', 'd'])
    const [first] = (await page('from=earliest&limit=1', `${short}-topic`)).events
    expect(first?.event['id']).toBe('a')
    const { next } = await page('from=earliest&limit=1', `${short}-topic`)
    await deleteRecords(connection('admin'), `${short}-topic`, 0, 3n)
    const told = await problemOf(await get(`/v1/events?topic=${short}-topic&from=${next}`, read), 410)
    expect((await page(`from=${told.earliest}`, `${short}-topic`)).events.map(({ event }) => event['id'])).toEqual([
      'd',
    ])
    expect((await page('from=earliest', `${short}-topic`)).events.map(({ event }) => event['id'])).toEqual(['d'])
  })

  test.each([
    'from=latest',
    'from=yesterday',
    'from=',
    'limit=0',
    'limit=1001',
    'from=earliest&from=earliest',
    'where=/a:1',
    `from=${encodeCursor('order.placed', new Map([[0, 1n]]))}`,
    `from=${encodeCursor(topic, new Map([[0, 1_000_000n]]))}`,
  ])('is refused with 400 for %s', async (query) => {
    await problemOf(await get(`/v1/events?topic=${topic}&${query}`, read), 400)
  })

  test('needs a topic, a token and its scope', async () => {
    await problemOf(await get('/v1/events', read), 400)
    await problemOf(await get(`/v1/events?topic=${topic}`, 'events:read:order.*'), 403)
    await problemOf(await get('/v1/events?topic=unheard-of', read), 404)
    await problemOf(await fetch((await get(`/v1/events?topic=${topic}`, read)).url), 401)
  })
})
