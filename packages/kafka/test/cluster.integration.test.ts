import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { stack } from '@millrace/testkit/fixture'
import { alterPartitionReassignmentsV1 } from '@platformatic/kafka'
import { afterAll, expect, onTestFinished, test, vi } from 'vitest'
import { openAdmin } from '../src/admin.ts'
import { openCluster } from '../src/cluster.ts'
import { openProducer, type StoredAt } from '../src/producer.ts'

const { connection } = stack()
const admin = openAdmin(connection('admin'))
afterAll(() => admin.close())

const partitions = 3

async function makeTopic(topic: string): Promise<void> {
  await admin.createTopic({ name: topic, partitions, replication: 3, config: { 'min.insync.replicas': '2' } })
  onTestFinished(() => admin.deleteTopics([topic]))
  await vi.waitUntil(async () => (await admin.endOffsets(topic).catch(() => new Map())).size === partitions, 30_000)
}

function cluster(bootstrapServers = connection('admin').bootstrapServers) {
  const opened = openCluster({ ...connection('admin'), bootstrapServers })
  onTestFinished(() => opened.close())
  return opened
}

test('records are stored once and in order while their partitions get other leaders', { timeout: 90_000 }, async () => {
  const topic = 'leaders-move'
  await makeTopic(topic)
  const watching = cluster()
  await watching.askForPartitions(topic)
  const leaders = () => Array.from({ length: partitions }, (_, partition) => watching.leader(topic, partition))
  const before = leaders()
  const producer = openProducer(connection('admin'))
  onTestFinished(() => producer.close())
  const stored: Promise<StoredAt>[] = []
  const send = (partition: number) =>
    producer.send({ topic, partition, value: Buffer.alloc(1), headers: new Map(), timestampMs: Date.now() })

  // The same replicas in another order: the brokers hand the leadership to the first of them by themselves.
  const others = before.map((leader = 0) => [1, 2, 3].filter((broker) => broker !== leader).concat(leader))
  const moves = others.map((replicas, partitionIndex) => ({ partitionIndex, replicas }))
  const moving = [{ name: topic, partitions: moves }]
  await alterPartitionReassignmentsV1.api.async(await watching.connect(before[0] ?? 1), 10_000, true, moving)
  const haveMoved = before.map((leader, partition) => watching.anotherLeader(topic, partition, leader, 60_000))
  const over = new AbortController()
  const moved = Promise.all(haveMoved).finally(() => over.abort())
  while (!over.signal.aborted) {
    for (let partition = 0; partition < partitions; partition += 1) stored.push(send(partition))
    await sleep(5)
  }
  expect(await moved).not.toContain(false)
  for (let partition = 0; partition < partitions; partition += 1) stored.push(send(partition))

  const places = Map.groupBy(await Promise.all(stored), ({ partition }) => partition)
  const ends = await admin.endOffsets(topic)
  for (const [partition, ofPartition] of places) {
    expect(ofPartition.map(({ offset }) => offset)).toEqual(ofPartition.map((_, index) => BigInt(index)))
    expect(ends.get(partition)).toBe(BigInt(ofPartition.length))
  }
})

test('a broker that is silent holds up nobody who can ask another', async () => {
  const topic = 'asked-for-elsewhere'
  await makeTopic(topic)
  const sockets = new Set<Socket>()
  const silent = createServer((socket) => void sockets.add(socket.on('error', () => undefined)))
  silent.listen(0, '127.0.0.1')
  await once(silent, 'listening')
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
    silent.close()
  })
  const address = silent.address()
  const port = typeof address === 'object' && address ? address.port : 0
  const asking = cluster([`127.0.0.1:${port}`, ...connection('admin').bootstrapServers])
  expect(await asking.askForPartitions(topic)).toBe(partitions)
  expect([...(await asking.brokers())].sort()).toEqual([1, 2, 3])
  expect(sockets.size).toBe(1)
  await asking.refresh()
  expect(sockets.size).toBe(1)
})

test('a topic that there is not is told, and others are told beside it', async () => {
  const topic = 'beside-a-missing-one'
  await makeTopic(topic)
  const asking = cluster()
  await expect(asking.askForPartitions('not-there')).rejects.toMatchObject({ code: 'kafka.unknown-topic' })
  expect(await asking.askForPartitions(topic)).toBe(partitions)
})
