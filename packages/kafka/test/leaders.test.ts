import { MillraceError } from '@millrace/core/errors'
import { expect, test, vi } from 'vitest'
import { createLeaders, type PartitionLeader } from '../src/leaders.ts'

const led = (broker: number, epoch: number): PartitionLeader[] => [{ broker, epoch }]

/** A cluster of topics with one partition, whose leaders can be moved, and how often it was asked. */
function clusterOf(topics: Record<string, PartitionLeader[]>) {
  const cluster = {
    asked: 0,
    topics: new Map(Object.entries(topics)),
    ask: (names: readonly string[]) => {
      cluster.asked += 1
      const gone = (name: string) => new MillraceError('kafka.unknown-topic', `${name} is gone`)
      return Promise.resolve(new Map(names.map((name) => [name, cluster.topics.get(name) ?? gone(name)])))
    },
  }
  return cluster
}

async function known() {
  const cluster = clusterOf({ t: led(1, 4) })
  const leaders = createLeaders(cluster.ask)
  await leaders.askFor('t')
  return { cluster, leaders }
}

test('a leader of a later epoch is learned, and one of an earlier not', async () => {
  const { leaders } = await known()
  leaders.learn('t', 0, { broker: 2, epoch: 5 })
  leaders.learn('t', 0, { broker: 3, epoch: 4 })
  leaders.learn('t', 1, { broker: 3, epoch: 9 })
  leaders.learn('other', 0, { broker: 3, epoch: 9 })
  expect(leaders.leader('t', 0)).toBe(2)
  expect(leaders.leader('t', 1)).toBeUndefined()
  expect(leaders.partitions('other')).toBeUndefined()
})

test('what a broker told of a topic that was made anew meanwhile is not kept', async () => {
  const { cluster, leaders } = await known()
  leaders.learn('t', 0, { broker: 2, epoch: 20 })
  cluster.topics.set('t', led(3, 0))
  await leaders.refresh()
  expect(leaders.leader('t', 0)).toBe(3)
})

test('a partition without a leader has none, until there is one', async () => {
  const { cluster, leaders } = await known()
  cluster.topics.set('t', led(-1, 5))
  await leaders.refresh()
  expect(leaders.leader('t', 0)).toBeUndefined()
  const waiting = leaders.anotherLeader('t', 0, 1, 60_000)
  cluster.topics.set('t', led(1, 6))
  expect(await leaders.anotherLeader('t', 0, undefined, 60_000)).toBe(true)
  cluster.topics.set('t', led(2, 7))
  expect(await waiting).toBe(true)
})

test('who waits for another leader does not wait when it is known', async () => {
  const { cluster, leaders } = await known()
  expect(await leaders.anotherLeader('t', 0, 2, 60_000)).toBe(true)
  expect(await leaders.anotherLeader('t', 0, undefined, 60_000)).toBe(true)
  expect(cluster.asked).toBe(1)
})

test('all who wait for another leader ask together, and go on when there is one', async () => {
  const { cluster, leaders } = await known()
  const waiting = Array.from({ length: 20 }, () => leaders.anotherLeader('t', 0, 1, 60_000))
  await vi.waitUntil(() => cluster.asked > 1)
  expect(cluster.asked).toBe(2)
  cluster.topics.set('t', led(2, 5))
  expect(await Promise.all(waiting)).not.toContain(false)
  expect(leaders.leader('t', 0)).toBe(2)
})

test('who waits for another leader is told when there is none in time, also when nobody answers', async () => {
  const { leaders } = await known()
  expect(await leaders.anotherLeader('t', 0, 1, 20)).toBe(false)
  const silent = createLeaders(() => new Promise(() => undefined))
  expect(await silent.anotherLeader('t', 0, undefined, 20)).toBe(false)
  const broken = createLeaders(() => Promise.reject(new Error('nobody is there')))
  expect(await broken.anotherLeader('t', 0, undefined, 20)).toBe(false)
})

test('a topic that is gone holds up no other, and stays as it was', async () => {
  const cluster = clusterOf({ t: led(1, 4), gone: led(1, 4) })
  const leaders = createLeaders(cluster.ask)
  await leaders.askFor('t')
  await leaders.askFor('gone')
  cluster.topics = new Map([['t', led(2, 5)]])
  const waiting = leaders.anotherLeader('gone', 0, 1, 100)
  expect(await leaders.anotherLeader('t', 0, 1, 60_000)).toBe(true)
  expect(await waiting).toBe(false)
  expect(leaders.leader('gone', 0)).toBe(1)
})

test('a topic that a broker does not know yet is asked for again, and one that there is not is told', async () => {
  const cluster = clusterOf({})
  const leaders = createLeaders(cluster.ask)
  const asking = leaders.askFor('t')
  await vi.waitUntil(() => cluster.asked > 1)
  cluster.topics.set('t', led(1, 0))
  await asking
  expect(leaders.partitions('t')).toBe(1)
  await expect(leaders.askFor('missing')).rejects.toMatchObject({ code: 'kafka.unknown-topic' })
})
