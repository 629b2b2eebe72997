import type { KafkaConnection } from '@millrace/kafka/connection'
import { openAdmin } from '@millrace/kafka/admin'
import { openProducer } from '@millrace/kafka/producer'
import { createLogger } from '@millrace/service/logger'
import { stack } from '@millrace/testkit/fixture'
import { beforeAll, expect, onTestFinished, test, vi } from 'vitest'
import { encodeCursor } from '../src/cursor.ts'
import { createItems, type ItemsOf } from '../src/event-item.ts'
import { readJson } from './read-json.ts'
import { createLiveTopics } from '../src/live-topics.ts'
import type { Outlet } from '../src/outlet.ts'
import { Subscription } from '../src/subscription.ts'
import { openTopicFeed } from '../src/topic-feed.ts'
import { makeFreeType } from './free-type.ts'
import { record, subscriber } from './subscriber.ts'

const { connection } = stack()
const types = ['gateway-live.one', 'gateway-live.two'] as const
const topics = types.map((type) => `${type}-topic`)
const patience = { timeout: 20_000 }

beforeAll(async () => {
  for (const type of types) await makeFreeType(type, null, 3)
})

const decode = createItems({ find: () => undefined, isHidden: () => false }, readJson)

function openLiveTopics(kafka: KafkaConnection, itemsOf: ItemsOf = decode) {
  const feed = openTopicFeed(kafka, createLogger('test', 'silent'))
  const faults: unknown[] = []
  const liveTopics = createLiveTopics(feed, itemsOf, (error) => faults.push(error))
  const producer = openProducer(kafka)
  onTestFinished(async () => {
    await liveTopics.close()
    await feed.close()
    await producer.close()
  })
  const send = (topic: string, id: string) => {
    const { value, headers } = record(topic, id, 0, 0n)
    return producer.send({ topic, value: value ?? Buffer.alloc(0), headers, timestampMs: Date.now() })
  }
  const subscribe = async (topic: string, broken: Partial<Outlet> = {}) => {
    const live = await liveTopics.open(topic)
    const end = subscriber()
    const outlet = { ...end.outlet, ...broken }
    const options = { topic, filter: undefined, outlet, bufferBytesMax: () => 1_000, onMissed: () => undefined }
    const subscription = new Subscription(options, live.next())
    subscription.hold()
    subscription.release(live.next())
    return { ...end, subscription, leave: live.join(subscription) }
  }
  return { feed, liveTopics, send, subscribe, faults }
}

test('several topics are live at once for any number of subscribers, from one feed', async () => {
  const { send, subscribe, faults } = openLiveTopics(connection('gateway'))
  const [one = '', two = ''] = topics
  const subscribers = await Promise.all([one, two, one, two].map((topic) => subscribe(topic)))
  const ids = Array.from({ length: 50 }, (_, number) => `n${number}`)
  await Promise.all(ids.flatMap((id) => topics.map((topic) => send(topic, `${topic} ${id}`))))
  await vi.waitUntil(() => subscribers.every((each) => each.ids().length === ids.length), patience)
  for (const [index, each] of subscribers.entries()) {
    expect(each.ids().sort()).toEqual(ids.map((id) => `${topics[index % 2]} ${id}`).sort())
  }
  subscribers[0]?.leave()
  await send(one, 'later')
  await vi.waitUntil(() => subscribers[2]?.ids().includes('later'), patience)
  expect(subscribers[0]?.ids()).not.toContain('later')
  expect(faults).toEqual([])
})

test('a subscriber that cannot be given an event is sent away, and the others have each', async () => {
  const { send, subscribe, faults } = openLiveTopics(connection('gateway'))
  const [topic = ''] = topics
  const write = () => {
    throw new Error('the outlet is broken')
  }
  const broken = await subscribe(topic, { write })
  const whole = await subscribe(topic)
  for (const id of ['fault a', 'fault b', 'fault c']) await send(topic, id)
  await vi.waitUntil(() => whole.ids().length === 3, patience)
  expect(whole.ids().sort()).toEqual(['fault a', 'fault b', 'fault c'])
  expect(whole.ended).toEqual([])
  expect(broken.ended).toEqual([1011])
  expect(faults).toEqual([new Error('the outlet is broken')])
})

test.each([
  ['at once', false],
  ['after a while', true],
])('records that cannot be made into events, %s, end the streams of their topic and no other', async (_when, later) => {
  const itemsOf: ItemsOf = (records) => {
    const poisoned = records.some(({ headers }) => headers.get('ce_id') === 'poison')
    if (!poisoned) return decode(records)
    if (later) return Promise.reject(new Error('poisoned'))
    throw new Error('poisoned')
  }
  const { liveTopics, send, subscribe, faults } = openLiveTopics(connection('gateway'), itemsOf)
  const [one = '', two = ''] = topics
  const [first, second, other] = await Promise.all([one, one, two].map((topic) => subscribe(topic)))
  const { partition, offset } = await send(one, 'poison')
  await vi.waitUntil(() => first?.ended.length === 1 && second?.ended.length === 1, patience)
  expect([first?.ended, second?.ended]).toEqual([[1011], [1011]])
  expect(faults).toEqual([new Error('poisoned')])
  // Who comes now is live behind it, so that it is read from the topic and by nobody left out.
  const live = await liveTopics.open(one)
  expect(live.next().get(partition)).toBeGreaterThan(offset)
  const next = await subscribe(one)
  await send(one, 'behind it')
  await send(two, 'elsewhere')
  await vi.waitUntil(() => next.ids().includes('behind it') && other?.ids().includes('elsewhere'), patience)
  expect(first?.ids()).not.toContain('behind it')
  expect(other?.ended).toEqual([])
})

test('a listener of the feed gets what comes on a topic that others listen to already, and knows from where on', async () => {
  const { feed, send, subscribe } = openLiveTopics(connection('gateway'))
  const [topic = ''] = topics
  const { ids } = await subscribe(topic)
  await send(topic, 'first')
  await vi.waitUntil(() => ids().includes('first'), patience)
  const offsets: [number, bigint][] = []
  const { positions, leave } = await feed.listen(topic, 'earliest', {
    onRecords: (records) => {
      offsets.push(...records.map(({ partition, offset }): [number, bigint] => [partition, offset]))
    },
  })
  const before = positions()
  const { partition, offset } = await send(topic, 'second')
  await vi.waitUntil(() => offsets.length > 0, patience)
  expect(offsets).toEqual([[partition, offset]])
  expect(before.get(partition)).toBe(offset)
  leave()
  await send(topic, 'third')
  await vi.waitUntil(() => ids().includes('third'), patience)
  expect(offsets).toHaveLength(1)
})

test('subscribers of a topic that is made anew are told of a gap, and get all that the new one has', async () => {
  const admin = openAdmin(connection('admin'))
  onTestFinished(() => admin.close())
  const topic = 'gateway-live.anew'
  const make = (partitions: number) =>
    vi.waitUntil(
      () =>
        admin.createTopic({ name: topic, partitions, replication: 3, config: { 'min.insync.replicas': '2' } }).then(
          () => true,
          () => false,
        ),
      patience,
    )
  await make(3)
  const { liveTopics, send, subscribe } = openLiveTopics(connection('admin'))
  await vi.waitUntil(
    () =>
      liveTopics.open(topic).then(
        () => true,
        () => false,
      ),
    patience,
  )
  const { ids, frames } = await subscribe(topic)
  for (let number = 0; number < 6; number++) await send(topic, `old ${number}`)
  await vi.waitUntil(() => ids().length === 6, patience)
  await admin.deleteTopics([topic])
  await make(1)
  for (const id of ['new 0', 'new 1'])
    await vi.waitUntil(
      () =>
        send(topic, id).then(
          () => true,
          () => false,
        ),
      patience,
    )
  await vi.waitUntil(() => ids().length === 8, patience)
  expect(ids().slice(6)).toEqual(['new 0', 'new 1'])
  expect(frames()[6]).toMatchObject({ gap: { count: 0, to: encodeCursor(topic, new Map([[0, 0n]])) } })
  expect((await liveTopics.open(topic)).next()).toEqual(new Map([[0, 2n]]))
})

test('a topic that there is not cannot be followed, now or later', async () => {
  const { liveTopics } = openLiveTopics(connection('gateway'))
  for (let attempt = 0; attempt < 2; attempt++) {
    await expect(liveTopics.open('unheard-of')).rejects.toMatchObject({ code: 'kafka.unknown-topic' })
  }
})
