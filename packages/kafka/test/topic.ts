import { onTestFinished, vi } from 'vitest'
import type { Admin } from '../src/admin.ts'

/** Makes a topic, and waits until it can be used. It is deleted when the test is over. */
export async function makeTopic(admin: Admin, name: string, partitions: number): Promise<void> {
  await admin.createTopic({ name, partitions, replication: 3, config: { 'min.insync.replicas': '2' } })
  onTestFinished(() => admin.deleteTopics([name]))
  await vi.waitUntil(async () => (await admin.endOffsets(name).catch(() => new Map())).size === partitions, 30_000)
}
