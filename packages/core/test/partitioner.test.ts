import { expect, test } from 'vitest'
import { murmur2, partitionForKey } from '../src/partitioner.ts'

/** From Kafka's own org.apache.kafka.common.utils.UtilsTest#testMurmur2. */
const vectors: readonly (readonly [string, number])[] = [
  ['21', -973932308],
  ['foobar', -790332482],
  ['a-little-bit-long-string', -985981536],
  ['a-little-bit-longer-string', -1486304829],
  ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
  ['abc', 479470107],
]

test.each(vectors)('murmur2 of "%s" is what Kafka computes', (key, hash) => {
  expect(murmur2(Buffer.from(key))).toBe(hash)
})

test('a key that is part of a larger buffer has the partition of its own bytes', () => {
  const within = Buffer.from('xxfoobaryy').subarray(2, 8)
  expect(partitionForKey(within, 6)).toBe(partitionForKey(Buffer.from('foobar'), 6))
})

test('a negative hash gives a partition that exists', () => {
  expect(partitionForKey(Buffer.from('foobar'), 6)).toBe((-790332482 & 0x7fffffff) % 6)
})
