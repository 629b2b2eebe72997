import type { CatalogEntry } from '@millrace/core/catalog'
import { expect, test } from 'vitest'
import { watchGrowth } from '../src/partition-growth.ts'

function entry(type: string, topic: string, partitions: number): CatalogEntry {
  return {
    type,
    topic,
    partitions,
    format: 'json',
    key: null,
    time: null,
    retentionMs: 1,
    compacted: false,
    compatibility: 'NONE',
    schemaId: 1,
    version: 1,
    schema: {},
    references: [],
    sensitive: [],
  }
}

test('only more partitions than a topic had, by whichever of its types, are growth', () => {
  const grown: string[] = []
  const onChange = watchGrowth((topic) => grown.push(topic))
  onChange('a', entry('a', 't', 3))
  onChange('b', entry('b', 't', 3))
  onChange('a', entry('a', 't', 3))
  onChange('c', undefined)
  expect(grown).toEqual([])
  onChange('b', entry('b', 't', 4))
  onChange('a', entry('a', 't', 3))
  onChange('b', entry('b', 't', 4))
  expect(grown).toEqual(['t'])
})
