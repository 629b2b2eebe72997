import { crc32c, Reader, readRecordsBatch } from '@platformatic/kafka'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type OutgoingRecord, recordBytes } from '../src/record.ts'
import { encodeBatch } from '../src/record-batch.ts'

const identity = { producerId: 4_000_000_000_007n, producerEpoch: 3, sequence: 41 }
const headBytes = 61

function recordOf(given: Partial<OutgoingRecord> = {}): OutgoingRecord {
  return { topic: 'any', value: Buffer.from('value'), headers: new Map(), timestampMs: 1_700_000_000_000, ...given }
}

/** What the client library, which has a decoder of its own, reads of the bytes. */
function read(records: readonly OutgoingRecord[]) {
  const bytes = encodeBatch(records, identity)
  return { bytes, batch: readRecordsBatch(Reader.from(bytes)) }
}

function readHeaders(headers: ReadonlyMap<string, string>) {
  const { batch } = read([recordOf({ headers })])
  return batch.records[0]?.headers.map(([name, text]) => [name?.toString(), text?.toString()])
}

describe('a record batch', () => {
  test('says who wrote it, and how many records it has from when on', () => {
    const { bytes, batch } = read([
      recordOf({ timestampMs: 1_700_000_000_000 }),
      recordOf({ timestampMs: 1_700_000_000_900 }),
      recordOf({ timestampMs: 1_699_999_999_000 }),
    ])
    expect(batch).toMatchObject({
      firstOffset: 0n,
      length: bytes.length - 12,
      magic: 2,
      attributes: 0,
      lastOffsetDelta: 2,
      firstTimestamp: 1_700_000_000_000n,
      maxTimestamp: 1_700_000_000_900n,
      producerId: identity.producerId,
      producerEpoch: identity.producerEpoch,
      firstSequence: identity.sequence,
    })
    expect(batch.records.map(({ timestampDelta }) => timestampDelta)).toEqual([0n, 900n, -1_000n])
    expect(batch.records.map(({ offsetDelta }) => offsetDelta)).toEqual([0, 1, 2])
    expect(batch.crc).toBe(crc32c(bytes.subarray(21)))
  })

  test('holds keys, values and headers as they were, whatever their length', () => {
    const lengths = [0, 1, 31, 32, 63, 64, 127, 128, 1_000, 8_100, 8_191, 8_192, 70_000, 600_000]
    const records = lengths.map((length) =>
      recordOf({
        key: length % 2 === 0 ? Buffer.alloc(length, 'k') : undefined,
        value: Buffer.alloc(length, 'v'),
        headers: new Map([
          ['ce_id', 'i'.repeat(length)],
          ['ce_ä', '€'.repeat(Math.min(length, 70))],
          ['ce_emoji', 'a'.repeat(Math.min(length, 60)) + '🌊'],
        ]),
      }),
    )
    const { batch } = read(records)
    expect(batch.records.map(({ key, value, headers }) => ({ key, value, headers }))).toEqual(
      records.map(({ key, value, headers }) => ({
        key: key ?? null,
        value,
        headers: [...headers].map(([name, text]) => [Buffer.from(name), Buffer.from(text)]),
      })),
    )
  })

  test.each([
    ['ASCII', fc.string({ unit: 'binary-ascii', maxLength: 300 })],
    ['anything', fc.string({ unit: 'grapheme', maxLength: 300 })],
  ])('holds any headers of %s', (_what, text) => {
    fc.assert(
      fc.property(fc.array(fc.tuple(text, text), { maxLength: 20 }), (pairs) => {
        const headers = new Map(pairs)
        expect(readHeaders(headers)).toEqual([...headers])
      }),
    )
  })

  test.each([0, 1, 63, 64, 127, 128, 8_191, 8_192, 20_000])('holds headers of ASCII with %i characters', (length) => {
    const headers = new Map([
      ['first', 'x'],
      ['n'.repeat(length), 't'.repeat(length)],
      ['last', 'y'],
    ])
    expect(readHeaders(headers)).toEqual([...headers])
    headers.set('ä', 'é'.repeat(length))
    expect(readHeaders(headers)).toEqual([...headers])
  })

  test('is never larger than its records were counted for', () => {
    for (const text of ['', 'a', 'ä', '€', '🌊', '€'.repeat(1_024)]) {
      const record = recordOf({ key: Buffer.from(text), value: Buffer.from(text), headers: new Map([[text, text]]) })
      const raw = recordOf({ value: null, rawHeaders: [[Buffer.from(text), null]] })
      expect(encodeBatch([raw], identity).length).toBeLessThanOrEqual(headBytes + recordBytes(raw))
      expect(encodeBatch([record], identity).length).toBeLessThanOrEqual(headBytes + recordBytes(record))
    }
  })

  test('is a copy: the next does not change it', () => {
    const first = encodeBatch([recordOf({ value: Buffer.from('first') })], identity)
    const kept = Buffer.from(first)
    encodeBatch([recordOf({ value: Buffer.from('other') })], identity)
    expect(first).toEqual(kept)
  })
})
