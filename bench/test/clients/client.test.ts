import { partitionForKey } from '@millrace/core/partitioner'
import { expect, test } from 'vitest'
import { byPartition, type Client, each, type KeyedRecord, placesFrom } from '../../src/clients/client.ts'

const partitions = 3
const records: KeyedRecord[] = Array.from({ length: 30 }, (_, index) => ({
  key: Buffer.from(`key-${index}`),
  value: Buffer.from(String(index)),
  headers: {},
}))

test('places count on from the first offset of each partition', () => {
  const places = placesFrom(new Map([0, 1, 2].map((partition) => [partition, 100 * partition])), records, partitions)
  for (const partition of [0, 1, 2]) {
    const offsets = places.filter((place) => place.partition === partition).map(({ offset }) => offset)
    expect(offsets).toEqual(offsets.map((_, index) => 100 * partition + index))
  }
  expect(places.map(({ partition }) => partition)).toEqual(records.map(({ key }) => partitionForKey(key, partitions)))
})

test('a partition that was not told, or has no offset, has no place', () => {
  const places = placesFrom(new Map([[0, -1]]), records, partitions)
  expect(new Set(places.map(({ offset }) => offset))).toEqual(new Set([-1]))
})

test('one partition a send: each send has records of one, and answers stay in order', async () => {
  const sends: (readonly KeyedRecord[])[] = []
  const send: Client['send'] = (some) => {
    sends.push(some)
    const places = some.map(({ key, value }) => ({
      partition: partitionForKey(key, partitions),
      offset: Number(value),
    }))
    return each(some, Promise.resolve(places))
  }
  const places = await Promise.all(byPartition(send, partitions)(records))
  expect(places.map(({ offset }) => offset)).toEqual(records.map((_, index) => index))
  const partitionsOf = sends.map((some) => new Set(some.map(({ key }) => partitionForKey(key, partitions))).size)
  expect(partitionsOf).toEqual([1, 1, 1])
})
