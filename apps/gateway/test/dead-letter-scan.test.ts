import type { Offsets } from '@millrace/kafka/admin'
import type { Reader, StoredRecord } from '@millrace/kafka/reader'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { scan } from '../src/dead-letter-scan.ts'

/** A topic of several partitions, each with so many records, read in turns; every page has a few. */
function readerOf(counts: readonly number[], pageMax: number): Reader {
  const readPage: Reader['readPage'] = (topic, from, _limit, upTo) => {
    const ends = counts.map((count, partition) => upTo?.get(partition) ?? BigInt(count))
    const next = new Map(counts.map((_count, partition) => [partition, from.get(partition) ?? 0n]))
    const records: StoredRecord[] = []
    const hasMore = () => ends.findIndex((end, partition) => (next.get(partition) ?? 0n) < end)
    for (let partition = hasMore(); partition >= 0 && records.length < pageMax; partition = hasMore()) {
      const offset = next.get(partition) ?? 0n
      records.push({ topic, partition, offset, timestampMs: 0, key: null, value: null, headers: new Map() })
      next.set(partition, offset + 1n)
    }
    return Promise.resolve({ found: 'records', records, next, atEnd: hasMore() < 0 })
  }
  const unused = () => Promise.reject(new Error('is not asked for here'))
  return { readPage, offsetsAt: unused, readLatest: unused, readFirst: unused, close: unused }
}

test('whoever goes on where a scan stopped sees each record once, wherever it stopped', async () => {
  const counts = fc.array(fc.nat(9), { minLength: 1, maxLength: 3 })
  await fc.assert(
    fc.asyncProperty(
      counts,
      fc.integer({ min: 1, max: 5 }),
      fc.integer({ min: 1, max: 7 }),
      async (each, page, step) => {
        const reader = readerOf(each, page)
        const seen: string[] = []
        let from: Offsets = new Map()
        for (let atEnd = false; !atEnd;) {
          let left = step
          const visit = ({ partition, offset }: StoredRecord) => {
            seen.push(`${partition}/${offset}`)
            left -= 1
            return left === 0 ? 'enough' : 'more'
          }
          const scanned = await scan(reader, 't', { cursor: from }, visit, { recordsMax: 100, timeMsMax: 60_000 })
          from = scanned.next
          atEnd = scanned.atEnd
        }
        const all = each.flatMap((count, partition) =>
          Array.from({ length: count }, (_, offset) => `${partition}/${offset}`),
        )
        expect(seen.toSorted()).toEqual(all.toSorted())
      },
    ),
  )
})

test('a scan is bounded in records, and by where it may go', async () => {
  let seen = 0
  const count = () => {
    seen += 1
    return 'more' as const
  }
  const bounded = await scan(readerOf([50], 10), 't', { cursor: new Map() }, count, {
    recordsMax: 13,
    timeMsMax: 60_000,
  })
  expect({ seen, ...bounded }).toEqual({ seen: 13, next: new Map([[0, 13n]]), atEnd: false })
  seen = 0
  const upTo = new Map([[0, 7n]])
  await scan(readerOf([50], 10), 't', { cursor: new Map() }, count, { recordsMax: 99, timeMsMax: 60_000, upTo })
  expect(seen).toBe(7)
})
