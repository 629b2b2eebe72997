import { randomUUID } from 'node:crypto'
import { MillraceProblem, openClient } from '@millrace/client/runtime'
import { stack } from '@millrace/testkit/fixture'
import { beforeAll, expect, test } from 'vitest'
import { register, type Sample } from './contract.ts'

const { gatewayUrl, token } = stack()

const client = openClient<Record<string, Sample>>({
  url: gatewayUrl,
  token: () => token('events:write:*', 'events:read:*'),
  source: '/client-test',
})
let type: string
beforeAll(async () => {
  ;({ type } = await register('avro'))
})

test('what is published is read, and published again with its id it is where it was', async () => {
  const id = randomUUID()
  const first = await client.publish(type, { name: 'ada', count: 1 }, { id, time: '2026-01-02T03:04:05Z' })
  expect(first).toMatchObject({ id, status: 'accepted' })
  const again = await client.publish(type, { name: 'ada', count: 1 }, { id, time: '2026-01-02T03:04:05Z' })
  expect(again).toEqual({ ...first, status: 'duplicate' })
  const { partition, offset, timestamp } = first
  const stored = {
    partition,
    offset,
    timestamp,
    event: { id, source: '/client-test', data: { name: 'ada', count: 1 } },
  }
  expect(await client.latest(type, 1000)).toContainEqual(expect.objectContaining({ partition, offset }))
  const { events, next } = await client.page(type, 'earliest', 1000)
  expect(events.find((item) => item.event.id === id)).toMatchObject(stored)
  expect((await client.page(type, next)).events).toEqual([])
})

test('what is refused is thrown with its problem', async () => {
  const refused = client.publish(type, { name: 'ada', count: 1.5 })
  await expect(refused).rejects.toThrow(MillraceProblem)
  await expect(refused).rejects.toMatchObject({ problem: { status: 422, errors: [{ pointer: '/count' }] } })
})

test('a subscriber has what was there and what comes, each once, in the order of its partition', async () => {
  const names = Array.from({ length: 20 }, (_, index) => `subscriber ${index % 4}`)
  const publishAll = async (from: number, to: number) => {
    for (let index = from; index < to; index++) await client.publish(type, { name: names[index] ?? '', count: index })
  }
  const { next } = await client.page(type, 'earliest', 1000)
  await publishAll(0, 10)
  const stop = new AbortController()
  const seen: Sample[] = []
  const posting = publishAll(10, 20)
  for await (const frame of client.subscribe(type, { from: next, signal: stop.signal })) {
    if ('gap' in frame) throw new Error('there was a gap')
    seen.push(frame.event.data)
    if (seen.length === names.length) stop.abort()
  }
  await posting
  expect(seen.map(({ count }) => count).toSorted((left, right) => left - right)).toEqual(names.map((_, index) => index))
  for (const name of new Set(names)) {
    const counts = seen.filter((sample) => sample.name === name).map(({ count }) => count)
    expect(counts).toEqual(counts.toSorted((left, right) => left - right))
  }
})
