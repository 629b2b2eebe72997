import { openProducer } from '@millrace/kafka/producer'
import { stack } from '@millrace/testkit/fixture'
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { accepted, batched, get, latestShape, order, post, problemOf, type Receipt } from './api.ts'
import { makeFreeType } from './free-type.ts'

const { connection } = stack()
const type = 'gateway-latest.made'
const topic = `${type}-topic`
const read = 'events:read:gateway-latest.*'
const receipts: Receipt[] = []

beforeAll(async () => {
  await makeFreeType(type, '/key', 3)
  for (let number = 0; number < 12; number++) {
    receipts.push(await accepted(order({ type, id: String(number), tenant: 'blue' }, { key: `key ${number}`, number })))
  }
})

const latest = async (query: string, ...scopes: readonly string[]) => {
  const answer = await get(`/v1/events/latest?${query}`, ...scopes)
  expect(answer.status).toBe(200)
  return latestShape.parse(await answer.json())
}

describe('the latest events of a topic', () => {
  test('come newest first, over all partitions, as they were sent and with the place that their receipts name', async () => {
    const { events, ...answer } = await latest(`topic=${topic}&limit=12`, read)
    expect(answer.topic).toBe(topic)
    expect(new Set(events.map(({ partition }) => partition)).size).toBe(3)
    expect(events.map(({ partition, offset, timestamp }) => ({ partition, offset, timestamp }))).toEqual(
      receipts.map(({ partition, offset, timestamp }) => ({ partition, offset, timestamp })).reverse(),
    )
    expect(events[0]?.event).toMatchObject({
      specversion: '1.0',
      id: '11',
      source: `/gateway-test/${type}`,
      type,
      tenant: 'blue',
      datacontenttype: 'application/json',
      data: { key: 'key 11', number: 11 },
    })
  })

  test('are as many as asked for', async () => {
    expect((await latest(`topic=${topic}&limit=1`, read)).events.map(({ event }) => event['id'])).toEqual(['11'])
    expect((await latest(`topic=${topic}&limit=1000`, read)).events).toHaveLength(12)
  })

  test('are found by their type too', async () => {
    const answer = await latest(`type=${type}&limit=3`, read)
    expect(answer.topic).toBe(topic)
    expect(answer.events.map(({ event }) => event['id'])).toEqual(['11', '10', '9'])
  })

  test('are there the moment that they are acknowledged', async () => {
    for (let round = 0; round < 5; round++) {
      const { id } = await accepted(order())
      expect((await latest('topic=order.placed&limit=1', 'events:read:*')).events[0]?.event['id']).toBe(id)
    }
  })

  test('are fifty unless asked otherwise', async () => {
    const other = 'gateway-latest.many'
    await makeFreeType(other, null, 3)
    expect((await latest(`type=${other}`, read)).events).toEqual([])
    const events = Array.from({ length: 120 }, () => order({ type: other }))
    expect((await post(events, { contentType: batched })).status).toBe(200)
    expect((await latest(`type=${other}`, read)).events).toHaveLength(50)
    expect((await latest(`type=${other}&limit=120`, read)).events).toHaveLength(120)
  })

  test.each(['limit=0', 'limit=1001', 'limit=-1', 'limit=1.5', 'limit=all', 'limit=', 'limit=1&limit=2', 'lmit=5'])(
    'are refused with 400 for %s',
    async (query) => {
      expect((await problemOf(await get(`/v1/events/latest?topic=${topic}&${query}`, read), 400)).detail).toMatch(
        /l[i]?mit/,
      )
    },
  )

  test('need a topic', async () => {
    await problemOf(await get('/v1/events/latest', read), 400)
    await problemOf(await get('/v1/events/latest?topic=', read), 400)
  })
})

describe('reading a topic', () => {
  test('needs a valid token', async () => {
    await problemOf(await fetch((await get(`/v1/events/latest?topic=${topic}`, read)).url), 401)
  })

  test('needs the scope for its types', async () => {
    await problemOf(await get(`/v1/events/latest?topic=${topic}`, 'events:read:order.*', 'events:write:*'), 403)
    await problemOf(await get(`/v1/events/latest?topic=${topic}`, 'dlq:read:*'), 403)
    // Who may read nothing is not told which topics there are.
    await problemOf(await get('/v1/events/latest?topic=unheard-of', 'events:write:*'), 403)
  })

  test('that is unknown or internal is 404', async () => {
    for (const hidden of [
      'unheard-of',
      '__consumer_offsets',
      '_connect-configs',
      '_apicurio-journal',
      'millrace-catalog',
      'unheard-of.dlq',
      'constructor',
    ]) {
      const { detail } = await problemOf(
        await get(`/v1/events/latest?topic=${hidden}`, 'events:read:*', 'dlq:read:*'),
        404,
      )
      expect(detail).toContain(hidden)
    }
    await problemOf(await get('/v1/events/latest?type=unheard-of', 'events:read:*'), 404)
  })

  test('of dead letters needs a scope of its own; what is no CloudEvent is shown by its bytes', async () => {
    const producer = openProducer(connection('admin'))
    onTestFinished(() => producer.close())
    const value = Buffer.from([0, 1, 2, 0xff])
    await producer.send({ topic: 'order.placed.dlq', value, headers: new Map(), timestampMs: Date.now() })
    const path = '/v1/events/latest?topic=order.placed.dlq'
    await problemOf(await get(path, 'events:read:*'), 403)
    await problemOf(await get(path, 'dlq:read:payment.*'), 403)
    const { events } = await latest('topic=order.placed.dlq&limit=1', 'dlq:read:order.*')
    expect(events[0]?.event).toEqual({ specversion: '1.0', data_base64: value.toString('base64') })
  })

  test('of late events is for who may read the results', async () => {
    await problemOf(await get('/v1/events/latest?topic=spend-per-customer.late', 'events:read:order.*'), 403)
    expect((await latest('topic=spend-per-customer.late', 'events:read:spend-per-customer')).topic).toBe(
      'spend-per-customer.late',
    )
  })
})
