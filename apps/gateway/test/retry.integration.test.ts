import { openReader } from '@millrace/kafka/reader'
import { stack } from '@millrace/testkit/fixture'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { accepted, batchShape, batched, latestShape, get, order, post, problemOf, receiptShape } from './api.ts'
import { makeFreeType } from './free-type.ts'

const { connection } = stack()
const type = 'gateway-retry.made'
const reader = openReader(connection('admin'))
beforeAll(() => makeFreeType(type, '/key'))
afterAll(() => reader.close())

const event = (id: string, data: unknown = { key: id }, members: object = {}) => ({
  ...order({ type, id, ...members }),
  data,
})

async function stored(id: string): Promise<number> {
  const { events } = latestShape.parse(
    await (await get(`/v1/events/latest?type=${type}&limit=1000`, 'events:read:*')).json(),
  )
  return events.filter((item) => item.event['id'] === id).length
}

describe('an event that is sent again', () => {
  test('is answered with the place of the first, and stored once', async () => {
    const first = await accepted(event('again'))
    const retry = await post(event('again'))
    expect(retry.status).toBe(200)
    expect(receiptShape.parse(await retry.json())).toEqual({ ...first, status: 'duplicate' })
    expect(await stored('again')).toBe(1)
  })

  test('is the same whatever its spaces, its trace and the time that was filled in', async () => {
    await accepted(event('spaced'))
    const text = JSON.stringify(event('spaced'), undefined, 2)
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
    expect((await post(text, { headers: { traceparent } })).status).toBe(200)
  })

  test.each([
    ['data', event('changed', { key: 'changed', more: 1 })],
    ['attributes', event('changed', undefined, { tenant: 'red' })],
    ['time', event('changed', undefined, { time: '2030-01-01T00:00:00Z' })],
  ])('with other %s is a conflict', async (_what, other) => {
    await post(event('changed'))
    expect((await problemOf(await post(other), 409)).detail).toContain('changed')
    expect(await stored('changed')).toBe(1)
  })

  test('is another event under another source', async () => {
    await accepted(event('source'))
    await accepted(event('source', undefined, { source: '/gateway-test/other' }))
  })

  test('at the same time is stored once', async () => {
    const answers = await Promise.all(Array.from({ length: 20 }, () => post(event('at once'))))
    expect(answers.map(({ status }) => status).toSorted()).toEqual([...Array.from({ length: 19 }, () => 200), 201])
    const receipts = await Promise.all(answers.map(async (answer) => receiptShape.parse(await answer.json())))
    expect(new Set(receipts.map(({ partition, offset }) => `${partition}/${offset}`)).size).toBe(1)
  })

  test('in one batch is a duplicate of the first, or a conflict with it', async () => {
    const events = [event('twin'), event('twin'), event('twin', { key: 'other' }), event('single')]
    const answer = await post(events, { contentType: batched })
    expect(answer.status).toBe(207)
    const { results, accepted: count, rejected } = batchShape.parse(await answer.json())
    expect(results.map(({ status }) => status)).toEqual(['accepted', 'duplicate', 'rejected', 'accepted'])
    expect({ count, rejected }).toEqual({ count: 3, rejected: 1 })
    expect(results[1]?.offset).toBe(results[0]?.offset)
    expect(results[2]?.problem?.status).toBe(409)
    expect((await post([event('twin'), event('single')], { contentType: batched })).status).toBe(200)
  })

  test('without an id is stored every time', async () => {
    const one = await accepted({ ...event('x'), id: undefined })
    const other = await accepted({ ...event('x'), id: undefined })
    expect(other.id).not.toBe(one.id)
  })

  test('with the id that it was given is recognised', async () => {
    const first = await accepted({ ...event('given'), id: undefined })
    const retry = await post({ ...event('given'), id: first.id })
    expect(retry.status).toBe(200)
    expect(receiptShape.parse(await retry.json())).toEqual({ ...first, status: 'duplicate' })
    await problemOf(await post({ ...event('given', { key: 'other' }), id: first.id }), 409)
    expect(await stored(first.id)).toBe(1)
  })
})
