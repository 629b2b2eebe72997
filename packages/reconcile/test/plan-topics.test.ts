import { eventType } from '@millrace/core/event-type'
import type { Admin } from '@millrace/kafka/admin'
import { expect, test } from 'vitest'
import { topicsOfType } from '../src/desired-topics.ts'
import { planTopics } from '../src/plan-topics.ts'

const order = topicsOfType(eventType('order.placed', { schema: { type: 'object' } }))

/** The plan for some topics on a cluster that has others. */
function planned(desired: typeof order, existing: readonly string[]) {
  const topic = { partitions: 6, replication: 3, config: {} }
  const unused = () => Promise.reject(new Error('a plan changes nothing'))
  const topics: Admin['topics'] = (names = existing) =>
    Promise.resolve(new Map(names.filter((name) => existing.includes(name)).map((name) => [name, topic])))
  const topicNames = () => Promise.resolve([...existing])
  return planTopics(desired, 3, {
    topics,
    topicNames,
    createTopic: unused,
    growPartitions: unused,
    setTopicConfig: unused,
  })
}

test.each([
  ['order_placed', 'order.placed'],
  ['order.placed_dlq', 'order.placed.dlq'],
])('a topic beside %s, from which Kafka does not tell it, is refused with the names of both', async (other, name) => {
  const refused = planned(order, [other, 'order-placed', 'Order.Placed'])
  await expect(refused).rejects.toMatchObject({ kind: 'conflict', violations: [{ pointer: '/topic' }] })
  await expect(refused).rejects.toThrow(`the topic "${name}" differs from the topic "${other}" in "." and "_" alone`)
})

test('so are two that are planned together', async () => {
  const late = { name: 'order_placed', partitions: 1, config: {} }
  await expect(planned([...order, late], [])).rejects.toThrow('"order_placed"')
})

test('topics that are there are left as they are, and what differs in case or dashes is another', async () => {
  const existing = ['order-placed', 'Order.Placed']
  expect(await planned(order, existing)).toMatchObject([{ name: 'order.placed.dlq' }, { name: 'order.placed' }])
  expect(await planned([], existing)).toEqual([])
})
