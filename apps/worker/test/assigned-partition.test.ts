import type { StoredRecord } from '@millrace/kafka/reader'
import { expect, test } from 'vitest'
import { AssignedPartition } from '../src/assigned-partition.ts'
import { Progress, spreadMax } from '../src/progress.ts'

function record(offset: bigint): StoredRecord {
  return { topic: 'some', partition: 0, offset, timestampMs: 0, key: null, value: null, headers: new Map() }
}

test('a record too far ahead of one that is not done waits, with all behind it, until that one is committed', () => {
  const partition = new AssignedPartition(0, new Progress({ offset: 0n, metadata: '' }, 'an-id'))
  const far = BigInt(spreadMax)
  expect(partition.begin(record(0n))).toBeDefined()
  expect(partition.begin(record(far - 1n))).toBeDefined()
  for (const offset of [far, far + 1n, 2n * far]) expect(partition.begin(record(offset))).toBeUndefined()
  expect(partition.resumesAt).toBe(far)
  expect(partition.hasRoom).toBe(false)
  expect(partition.progress.committable([far - 1n]).metadata.length).toBeLessThanOrEqual(4_096)
  partition.committed([record(0n), record(far - 1n)])
  expect(partition.hasRoom).toBe(true)
  for (const offset of [far, far + 1n]) expect(partition.begin(record(offset))).toBeDefined()
  expect(partition.resumesAt).toBeUndefined()
})

test('a record is begun however far it is ahead where nothing waits', () => {
  const partition = new AssignedPartition(0, new Progress({ offset: 0n, metadata: '' }, 'an-id'))
  expect(partition.begin(record(1_000_000n))).toBeDefined()
})
