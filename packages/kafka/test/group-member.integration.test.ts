import { stack } from '@millrace/testkit/fixture'
import { consumerGroupHeartbeatV1 } from '@platformatic/kafka'
import { afterAll, expect, onTestFinished, test, vi } from 'vitest'
import { openAdmin } from '../src/admin.ts'
import { brokerConnections } from '../src/broker-connections.ts'
import { openCluster } from '../src/cluster.ts'
import type { KafkaConnection } from '../src/connection.ts'
import { coordinatorOf } from '../src/coordinator.ts'
import { type Committed, joinGroup } from '../src/group-member.ts'
import { openTransactionalProducer } from '../src/transactional-producer.ts'
import { openTransaction } from './open-transaction.ts'
import { makeTopic } from './topic.ts'

const { connection } = stack()
const admin = openAdmin(connection('admin'))
afterAll(() => admin.close())

const partitions = 12
const all = Array.from({ length: partitions }, (_, partition) => partition)

/** A member that knows what it has, and notes when it has what another has still. */
function member(group: string, topic: string, held: Map<number, string>, name: string) {
  const has = new Map<number, Committed | undefined>()
  const twice: number[] = []
  let losses = 0
  const joined = joinGroup(
    connection('admin'),
    { group, topic, rebalanceTimeoutMs: 10_000 },
    {
      onAssigned: (assigned) => {
        for (const [partition, committed] of assigned) {
          if (held.has(partition)) twice.push(partition)
          held.set(partition, name)
          has.set(partition, committed)
        }
      },
      onRevoked: async (revoked) => {
        await new Promise((resolve) => setTimeout(resolve, 50)) // it has to finish something
        for (const partition of revoked) {
          held.delete(partition)
          has.delete(partition)
        }
      },
      onLost: () => {
        losses += 1
        has.clear()
      },
      onTrouble: () => undefined,
    },
  )
  onTestFinished(() => joined.leave())
  return { has, twice, losses: () => losses, leave: joined.leave, joined }
}

test('members that come and go have every partition between them, and none twice', { timeout: 120_000 }, async () => {
  const [topic, group] = ['group-members', 'group-members']
  await makeTopic(admin, topic, partitions)
  const held = new Map<number, string>()
  const settled = (...counts: readonly number[]) =>
    vi.waitUntil(() => held.size === partitions && counts.join() === members.map(({ has }) => has.size).join(), {
      timeout: 30_000,
    })
  const members = [member(group, topic, held, 'first')]
  await settled(12)
  members.push(member(group, topic, held, 'second'))
  await settled(6, 6)
  members.push(member(group, topic, held, 'third'), member(group, topic, held, 'fourth'))
  await settled(3, 3, 3, 3)
  await Promise.all([members[0]?.leave(), members[2]?.leave()])
  await settled(0, 6, 0, 6)
  expect([...held.keys()].toSorted((one, other) => one - other)).toEqual(all)
  expect(members.flatMap(({ twice }) => twice)).toEqual([])
})

test('a member begins where the group has committed, with what was noted there', async () => {
  const [topic, group] = ['group-commits', 'group-commits']
  await makeTopic(admin, topic, 2)
  const producer = await openTransactionalProducer(connection('admin'), group)
  onTestFinished(() => producer.close())
  const first = member(group, topic, new Map(), 'first')
  await vi.waitUntil(() => first.has.size === 2, 30_000)
  const offsets = new Map([[1, { offset: 5n, metadata: 'some note' }]])
  const commit = () => producer.commit([], { group, topic, member: first.joined.identity(), offsets })
  expect(await commit()).toBe('committed')
  await first.leave()
  expect(await commit()).toBe('stale')
  const second = member(group, topic, new Map(), 'second')
  await vi.waitUntil(() => second.has.size === 2, 30_000)
  expect(second.has).toEqual(
    new Map([
      [0, undefined],
      [1, { offset: 5n, metadata: 'some note' }],
    ]),
  )
})

test('a member that was taken for dead joins again as somebody else', async () => {
  const [topic, group] = ['group-lost', 'group-lost']
  await makeTopic(admin, topic, partitions)
  const lost = member(group, topic, new Map(), 'lost')
  await vi.waitUntil(() => lost.has.size === partitions, 20_000)
  const former = lost.joined.identity()
  await leaveFor(connection('admin'), group, former.memberId)
  await vi.waitUntil(() => lost.losses() === 1 && lost.has.size === partitions, 30_000)
  expect(lost.joined.identity().memberId).not.toBe(former.memberId)
})

/** Tells the group that a member leaves, which knows nothing of it: as when its session has ended. */
async function leaveFor(to: KafkaConnection, group: string, memberId: string): Promise<void> {
  const cluster = openCluster(to)
  onTestFinished(() => cluster.close())
  const coordinator = coordinatorOf({ kind: 'group', id: group }, cluster, brokerConnections(cluster.connect))
  await coordinator.ask('leaving', 10_000, (broker) =>
    consumerGroupHeartbeatV1.api.async(broker, group, memberId, -1, null, null, 10_000, [], null, null, []),
  )
}

test('a transaction that is open in a partition holds up that one alone, and no rebalance', async () => {
  const [topic, group] = ['group-unstable', 'group-unstable']
  await makeTopic(admin, topic, partitions)
  const abort = await openTransaction(connection('admin'), group, topic, 0)
  const held = new Map<number, string>()
  const first = member(group, topic, held, 'first')
  await vi.waitUntil(() => first.has.size === partitions - 1, 20_000)
  const second = member(group, topic, held, 'second')
  await vi.waitUntil(
    () => first.has.size < partitions - 1 && second.has.size >= 5 && held.size === partitions - 1,
    20_000,
  )
  expect(held.has(0)).toBe(false)
  await abort()
  await vi.waitUntil(() => held.size === partitions, 20_000)
  expect([...first.twice, ...second.twice]).toEqual([])
})
