import { setImmediate as nextTurn } from 'node:timers/promises'
import { stack } from '@millrace/testkit/fixture'
import { afterAll, expect, onTestFinished, test, vi } from 'vitest'
import { openAdmin } from '../src/admin.ts'
import { openProducer, type StoredAt } from '../src/producer.ts'

const { connection } = stack()
const admin = openAdmin(connection('admin'))
afterAll(() => admin.close())

test('what comes while a broker gives out producer ids is written too', async () => {
  const topic = 'producer-ids'
  const partitions = 12
  await admin.createTopic({ name: topic, partitions, replication: 3, config: { 'min.insync.replicas': '2' } })
  await vi.waitUntil(async () => (await admin.endOffsets(topic).catch(() => new Map())).size === partitions, 30_000)
  const producer = openProducer(connection('admin'))
  onTestFinished(() => producer.close())
  await producer.connect()
  const send = (partition: number) =>
    producer.send({ topic, partition, value: Buffer.alloc(1), headers: new Map(), timestampMs: Date.now() })
  await send(0) // now the topic is known, so that nothing else is waited for
  const stored: Promise<StoredAt>[] = []
  for (let partition = 0; partition < partitions; partition += 1) {
    stored.push(send(partition))
    await nextTurn()
  }
  expect((await Promise.all(stored)).map(({ partition }) => partition)).toEqual(Array.from(stored.keys()))
})
