import { expect, test } from 'vitest'
import { type Batch, committedBatches } from '../src/aborted.ts'

const transactional = 1 << 4
const control = 1 << 5

function data(firstOffset: bigint, producerId: bigint, records = 2): Batch {
  return { firstOffset, lastOffsetDelta: records - 1, attributes: transactional, producerId, records: [] }
}

function marker(firstOffset: bigint, producerId: bigint, kind: 'abort' | 'commit'): Batch {
  const key = Buffer.from([0, 0, 0, kind === 'commit' ? 1 : 0])
  return { firstOffset, lastOffsetDelta: 0, attributes: transactional | control, producerId, records: [{ key }] }
}

const offsets = (batches: readonly Batch[]) => batches.map(({ firstOffset }) => firstOffset)

test('of several aborted transactions of one producer none is seen, and its committed ones are', () => {
  const log = [
    data(0n, 1n),
    marker(2n, 1n, 'abort'),
    data(3n, 1n),
    marker(5n, 1n, 'commit'),
    data(6n, 1n),
    marker(8n, 1n, 'abort'),
  ]
  const aborted = [
    { producerId: 1n, firstOffset: 6n },
    { producerId: 1n, firstOffset: 0n },
  ]
  expect(offsets(committedBatches(log, aborted))).toEqual([3n])
})

test('an aborted transaction whose marker is not in the same fetch is not seen', () => {
  expect(offsets(committedBatches([data(0n, 1n), data(2n, 2n)], [{ producerId: 1n, firstOffset: 0n }]))).toEqual([2n])
})

test('records without a transaction are seen between those of an aborted one', () => {
  const plain: Batch = { ...data(2n, -1n), attributes: 0 }
  const log = [data(0n, 1n), plain, data(4n, 1n), marker(6n, 1n, 'abort')]
  expect(offsets(committedBatches(log, [{ producerId: 1n, firstOffset: 0n }]))).toEqual([2n])
})
