import { stack } from '@millrace/testkit/fixture'
import { afterAll, expect, onTestFinished, test, vi } from 'vitest'
import { type Offsets, openAdmin } from '../src/admin.ts'
import type { StoredRecord } from '../src/fetch.ts'
import { type FollowerListener, type Gap, openFollower } from '../src/follower.ts'
import { openProducer } from '../src/producer.ts'
import { deleteRecords } from './delete-records.ts'

const { connection } = stack()
const admin = openAdmin(connection('admin'))
const producer = openProducer(connection('admin'))
afterAll(() => Promise.all([admin.close(), producer.close()]))

const patience = { timeout: 30_000 }

async function makeTopic(name: string, partitions: number): Promise<string> {
  const topic = `follower-${name}`
  await admin.createTopic({ name: topic, partitions, replication: 3, config: { 'min.insync.replicas': '2' } })
  await vi.waitUntil(async () => (await admin.endOffsets(topic).catch(() => new Map())).size === partitions, patience)
  return topic
}

function send(topic: string, text: string, partition = 0) {
  return producer.send({ topic, partition, value: Buffer.from(text), headers: new Map(), timestampMs: Date.now() })
}

/** A follower, and what it handed over by topic. */
function following(listener: Partial<FollowerListener> = {}) {
  const received = new Map<string, StoredRecord[]>()
  const gaps: (Gap & { topic: string })[] = []
  const troubles: string[] = []
  const resets: { topic: string; positions: Offsets }[] = []
  const follower = openFollower(connection('admin'), {
    onRecords: (topic, records) => {
      received.set(topic, [...(received.get(topic) ?? []), ...records])
    },
    onGap: (topic, gap) => gaps.push({ topic, ...gap }),
    onReset: (topic, positions) => resets.push({ topic, positions }),
    onTrouble: ({ code }) => troubles.push(code),
    ...listener,
  })
  onTestFinished(() => follower.close())
  return { follower, gaps, resets, troubles, texts: (topic: string) => (received.get(topic) ?? []).map(textOf) }
}

const isDone = () => true
const isNotDone = () => false

function textOf({ value }: StoredRecord): string {
  return value?.toString() ?? ''
}

test('one follower follows many topics, each from where it was told, and those that are added or left as it runs', async () => {
  const topics = await Promise.all(['a', 'b', 'c', 'd'].map((name) => makeTopic(name, 6)))
  const [a = '', b = '', c = '', d = ''] = topics
  for (const topic of topics) await send(topic, 'before')
  const { follower, texts } = following()
  expect((await follower.follow(a, 'latest')).get(0)).toBe(1n)
  expect((await follower.follow(b, 'earliest')).get(0)).toBe(0n)
  const numbers = Array.from({ length: 200 }, (_, number) => String(number))
  await Promise.all(numbers.map((text) => send(a, text)))
  await vi.waitUntil(() => texts(a).length === 200 && texts(b).length === 1, patience)
  expect(texts(a)).toEqual(numbers)

  expect(await follower.follow(c, new Map([[0, 1n]]))).toEqual(
    new Map([0, 1, 2, 3, 4, 5].map((p) => [p, p === 0 ? 1n : 0n])),
  )
  follower.unfollow(b)
  expect(follower.positions(b)).toBeUndefined()
  for (const topic of topics)
    for (let partition = 0; partition < 6; partition++) await send(topic, `after ${partition}`, partition)
  await vi.waitUntil(() => texts(a).length === 206 && texts(c).length === 6, patience)
  expect(texts(c).sort()).toEqual([0, 1, 2, 3, 4, 5].map((partition) => `after ${partition}`))
  expect(texts(b)).toEqual(['before'])
  expect(texts(d)).toEqual([])
  expect(follower.positions(a)).toEqual(await admin.endOffsets(a))
})

test('a topic that is not there cannot be followed; one that goes away does not stop the others', async () => {
  const [kept, gone] = await Promise.all([makeTopic('kept', 3), makeTopic('gone', 3)])
  const { follower, troubles, texts } = following()
  await expect(follower.follow('unheard-of', 'latest')).rejects.toMatchObject({ code: 'kafka.unknown-topic' })
  await follower.follow(kept, 'latest')
  await follower.follow(gone, 'latest')
  await admin.deleteTopics([gone])
  await vi.waitUntil(() => troubles.length > 0, patience)
  for (let number = 0; number < 30; number++) await send(kept, String(number), number % 3)
  await vi.waitUntil(() => texts(kept).length === 30, patience)
})

test('partitions that are added later are followed from their first record on', async () => {
  const topic = await makeTopic('grown', 1)
  const { follower, texts } = following()
  await follower.follow(topic, 'latest')
  await admin.growPartitions(topic, 2)
  await vi.waitUntil(() => send(topic, 'new', 1).then(isDone, isNotDone), patience)
  await vi.waitUntil(() => texts(topic).includes('new'), patience)
})

test('new partitions are followed within a second of being told of, whatever else is in trouble', async () => {
  const [topic, gone] = await Promise.all([makeTopic('told', 1), makeTopic('told-gone', 1)])
  const { follower, texts, troubles } = following()
  await follower.follow(topic, 'latest')
  await follower.follow(gone, 'latest')
  await admin.deleteTopics([gone])
  await vi.waitUntil(() => troubles.length > 0, patience)
  await admin.growPartitions(topic, 2)
  await vi.waitUntil(() => send(topic, 'new', 1).then(isDone, isNotDone), patience)
  follower.refresh()
  await vi.waitUntil(() => texts(topic).includes('new'), { timeout: 1_500, interval: 20 })
})

test('a topic that is made anew is read from its beginning, without the partitions that it has no more', async () => {
  const topic = await makeTopic('anew', 3)
  const { follower, resets, texts } = following()
  for (let partition = 0; partition < 3; partition++) await send(topic, 'old', partition)
  await follower.follow(topic, 'earliest')
  await vi.waitUntil(() => texts(topic).length === 3, patience)
  await admin.deleteTopics([topic])
  await vi.waitUntil(async () => (await admin.endOffsets(topic).catch(() => undefined)) === undefined, patience)
  await makeTopic('anew', 1)
  for (const text of ['new 0', 'new 1']) await vi.waitUntil(() => send(topic, text).then(isDone, isNotDone), patience)
  await vi.waitUntil(() => texts(topic).length === 5, patience)
  expect(texts(topic)).toEqual(['old', 'old', 'old', 'new 0', 'new 1'])
  expect(resets).toEqual([{ topic, positions: new Map([[0, 0n]]) }])
  expect(follower.positions(topic)).toEqual(new Map([[0, 2n]]))
})

test('records that are gone before they were read are told of as a gap, and what follows is read', async () => {
  const topic = await makeTopic('gap', 2)
  for (let number = 0; number < 10; number++) await send(topic, String(number))
  await deleteRecords(connection('admin'), topic, 0, 7n)
  const { follower, gaps, texts } = following()
  await follower.follow(topic, new Map([[0, 2n]]))
  await vi.waitUntil(() => texts(topic).length === 3, patience)
  expect(texts(topic)).toEqual(['7', '8', '9'])
  expect(gaps).toEqual([{ topic, partition: 0, from: 2n, to: 7n }])
})

test('what is not taken yet is not read on: the listener holds the follower up', async () => {
  const topic = await makeTopic('held', 1)
  const gate = Promise.withResolvers<undefined>()
  const texts: string[] = []
  const { follower } = following({
    onRecords: async (_topic, records) => {
      texts.push(...records.map(textOf))
      await gate.promise
    },
  })
  await follower.follow(topic, 'latest')
  await send(topic, 'first')
  await vi.waitUntil(() => texts.length === 1, patience)
  await send(topic, 'second')
  const other = following()
  await other.follower.follow(topic, 'earliest')
  await vi.waitUntil(() => other.texts(topic).length === 2, patience)
  expect(texts).toEqual(['first'])
  gate.resolve(undefined)
  await vi.waitUntil(() => texts.length === 2, patience)
})
