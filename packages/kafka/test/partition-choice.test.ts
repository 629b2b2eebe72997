import { partitionForKey } from '@millrace/core/partitioner'
import { expect, test } from 'vitest'
import { createPartitionChoice } from '../src/partition-choice.ts'
import type { OutgoingRecord } from '../src/record.ts'

const record: OutgoingRecord = { topic: 't', value: Buffer.alloc(0), headers: new Map(), timestampMs: 0 }

test('a key has the partition that Kafka itself would give it', () => {
  const { choose } = createPartitionChoice()
  for (const key of ['a', 'order-1', 'ü']) {
    expect(choose({ ...record, key: Buffer.from(key) }, 6)).toBe(partitionForKey(Buffer.from(key), 6))
  }
})

test('records without a key stay with a partition until its batch leaves, then move on', () => {
  const { choose, advance } = createPartitionChoice()
  const first = choose(record, 3)
  expect([choose(record, 3), choose(record, 3)]).toEqual([first, first])
  for (let batch = 1; batch <= 9; batch += 1) {
    advance('t', choose(record, 3))
    expect(choose(record, 3)).toBe((first + batch) % 3)
  }
})
