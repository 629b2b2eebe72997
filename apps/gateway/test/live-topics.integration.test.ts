import type { KafkaConnection } from '@millrace/kafka/connection'
import { openProducer } from '@millrace/kafka/producer'
import { createLogger } from '@millrace/service/logger'
import { stack } from '@millrace/testkit/fixture'
import { beforeAll, expect, onTestFinished, test, vi } from 'vitest'
import { createItems } from '../src/event-item.ts'
import { readJson } from './read-json.ts'
import { createLiveTopics } from '../src/live-topics.ts'
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

function openLiveTopics(kafka: KafkaConnection) {
  const feed = openTopicFeed(kafka, createLogger('test', 'silent'))
  const liveTopics = createLiveTopics(
    feed,
    createItems(() => undefined, readJson),
  )
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
  const subscribe = async (topic: string) => {
    const live = await liveTopics.open(topic)
    const end = subscriber()
    const options = { topic, filter: undefined, outlet: end.outlet, bufferBytesMax: 1_000, onMissed: () => undefined }
    const subscription = new Subscription(options, live.next())
    subscription.hold()
    subscription.release(live.next())
    return { ...end, subscription, leave: live.join(subscription) }
  }
  return { feed, liveTopics, send, subscribe }
}

test('several topics are live at once for any number of subscribers, from one feed', async () => {
  const { send, subscribe } = openLiveTopics(connection('gateway'))
  const [one = '', two = ''] = topics
  const subscribers = await Promise.all([one, two, one, two].map(subscribe))
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

test('a topic that there is not cannot be followed, now or later', async () => {
  const { liveTopics } = openLiveTopics(connection('gateway'))
  for (let attempt = 0; attempt < 2; attempt++) {
    await expect(liveTopics.open('unheard-of')).rejects.toMatchObject({ code: 'kafka.unknown-topic' })
  }
})
