import { expect, test } from 'vitest'
import { createLeaders, type TopicState } from '../src/leaders.ts'

const first: TopicState = { id: 'first', leaders: [{ broker: 1, epoch: 4 }] }

/** A cluster of topics with one partition, whose leaders can be moved, and how often it was asked. */
function clusterOf(topics: Record<string, TopicState>) {
  const cluster = {
    asked: 0,
    topics: new Map(Object.entries(topics)),
    ask: (names: readonly string[]): Promise<Map<string, TopicState>> => {
      cluster.asked += 1
      const found = cluster.topics.entries().filter(([name]) => names.includes(name))
      const told = new Map(found)
      return told.size < names.length ? Promise.reject(new Error('no such topic')) : Promise.resolve(told)
    },
  }
  return cluster
}

async function known() {
  const cluster = clusterOf({ t: first })
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

test('a broker that is behind does not undo what another has told, unless the topic was made anew', async () => {
  const { cluster, leaders } = await known()
  leaders.learn('t', 0, { broker: 2, epoch: 5 })
  await leaders.refresh()
  expect(leaders.leader('t', 0)).toBe(2)
  cluster.topics.set('t', { id: 'second', leaders: [{ broker: 3, epoch: 0 }] })
  await leaders.refresh()
  expect(leaders.leader('t', 0)).toBe(3)
})

test('a partition without a leader has none', async () => {
  const { cluster, leaders } = await known()
  cluster.topics.set('t', { id: 'first', leaders: [{ broker: -1, epoch: 5 }] })
  await leaders.refresh()
  expect(leaders.leader('t', 0)).toBeUndefined()
})

test('who waits for another leader does not wait when it is known', async () => {
  const { cluster, leaders } = await known()
  await leaders.anotherLeader('t', 0, 2, 60_000)
  await leaders.anotherLeader('t', 0, undefined, 60_000)
  expect(cluster.asked).toBe(1)
})

test('all who wait for another leader ask together, and go on when there is one', async () => {
  const { cluster, leaders } = await known()
  const waiting = Array.from({ length: 20 }, () => leaders.anotherLeader('t', 0, 1, 60_000))
  await new Promise((resolve) => setTimeout(resolve, 150))
  expect(cluster.asked).toBeLessThanOrEqual(4)
  cluster.topics.set('t', { id: 'first', leaders: [{ broker: 2, epoch: 5 }] })
  await Promise.all(waiting)
  expect(leaders.leader('t', 0)).toBe(2)
})

test('a topic that is gone does not hold up who waits for the leader of another', async () => {
  const cluster = clusterOf({ t: first, gone: first })
  const leaders = createLeaders((names) =>
    names.includes('gone') && !cluster.topics.has('gone') ? new Promise(() => undefined) : cluster.ask(names),
  )
  await leaders.askFor('t')
  await leaders.askFor('gone')
  cluster.topics = new Map([['t', { id: 'first', leaders: [{ broker: 2, epoch: 5 }] }]])
  void leaders.refresh()
  expect(await leaders.anotherLeader('t', 0, 1, 60_000)).toBe(true)
})

test('who waits for another leader goes on after a while when there is none, and when nobody answers', async () => {
  const { leaders } = await known()
  await leaders.anotherLeader('t', 0, 1, 20)
  const silent = createLeaders(() => new Promise(() => undefined))
  await silent.anotherLeader('t', 0, undefined, 20)
  expect(leaders.leader('t', 0)).toBe(1)
})

test('a topic that cannot be asked for holds up no other', async () => {
  const cluster = clusterOf({ t: first, gone: first })
  const leaders = createLeaders(cluster.ask)
  await leaders.askFor('t')
  await leaders.askFor('gone')
  cluster.topics = new Map([['t', { id: 'first', leaders: [{ broker: 2, epoch: 5 }] }]])
  await leaders.refresh()
  expect(leaders.leader('t', 0)).toBe(2)
  expect(leaders.leader('gone', 0)).toBe(1)
})
