import type { StoredRecord } from '@millrace/kafka/reader'
import { expect, test } from 'vitest'
import { AssignedPartition } from '../src/assigned-partition.ts'
import { Progress, spreadMax } from '../src/progress.ts'

function record(offset: bigint): StoredRecord {
  return { topic: 'some', partition: 0, offset, timestampMs: 0, key: null, value: null, headers: new Map() }
}

const fresh = () => new AssignedPartition(0, new Progress({ offset: 0n, metadata: '' }, 'an-id'))
const taken = (partition: AssignedPartition, ...offsets: readonly bigint[]) =>
  partition.take(offsets.map(record)).map(({ task }) => task.record.offset)
const far = BigInt(spreadMax)

test('a record too far ahead of one that is not done waits, with all behind it, until that one is committed', () => {
  const partition = fresh()
  expect(taken(partition, 0n, far - 1n, far, far + 1n, 2n * far)).toEqual([0n, far - 1n])
  expect(partition.resumesAt).toBe(far)
  expect(partition.hasRoom).toBe(false)
  expect(partition.progress.committable([far - 1n]).metadata.length).toBeLessThanOrEqual(4_096)
  partition.committed([record(0n), record(far - 1n)])
  expect(partition.hasRoom).toBe(true)
  expect(taken(partition, far, far + 1n)).toEqual([far, far + 1n])
  expect(partition.resumesAt).toBeUndefined()
})

test('when the record with which reading was to go on is gone by then, it goes on with the next that there is', () => {
  const partition = fresh()
  expect(taken(partition, 0n, far)).toEqual([0n])
  partition.committed([record(0n)])
  expect(taken(partition, far + 500n, far + 501n)).toEqual([far + 500n, far + 501n])
  expect(partition.resumesAt).toBeUndefined()
})

test('and waits for that one where it is too far ahead too', () => {
  const partition = fresh()
  expect(taken(partition, 0n, 1n, far)).toEqual([0n, 1n])
  partition.committed([record(0n)])
  expect(taken(partition, far + 500n)).toEqual([])
  expect(partition.resumesAt).toBe(far + 500n)
})

test('a record is begun however far it is ahead where nothing waits', () => {
  expect(taken(fresh(), 1_000_000n)).toEqual([1_000_000n])
})
