import { isUtf8 } from 'node:buffer'
import type { RawHeader } from '@millrace/core/dead-letter'
import { createRecordsBatch, fetchV17, Reader, Writer } from '@platformatic/kafka'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readFetchResponse } from '../src/fetch-response.ts'
import type { OutgoingRecord } from '../src/record.ts'
import { encodeBatch } from '../src/record-batch.ts'

const topicIds = ['0f0e0d0c-0b0a-4908-8706-050403020100', 'ffffffff-ffff-4fff-bfff-ffffffffffff']
const identity = { producerId: 77n, producerEpoch: 1, sequence: 9 }
const records = [
  { topic: 't', key: Buffer.from('k'), value: Buffer.from('{"a":1}'), headers: new Map(), timestampMs: 1_000 },
  {
    topic: 't',
    value: Buffer.alloc(20_000, 'v'),
    headers: new Map([
      ['ce_id', 'ä€🌊'],
      ['ce_source', '/s'.repeat(300)],
      ['empty', ''],
    ]),
    timestampMs: 400,
  },
] satisfies OutgoingRecord[]

type Part = { readonly partition: number; readonly errorCode?: number; readonly bytes: Buffer | null }

/** An answer with two topics, with fields of later versions wherever there may be some. */
function answer(parts: readonly Part[]): Buffer {
  const tagged = (writer: Writer) =>
    writer.appendUnsignedVarInt(1).appendUnsignedVarInt(99).appendUnsignedVarInt(2).append(Buffer.from('xx'))
  const writer = Writer.create().appendInt32(0).appendInt16(0).appendInt32(5)
  writer.appendUnsignedVarInt(topicIds.length + 1)
  for (const id of topicIds) {
    writer.append(Buffer.from(id.replaceAll('-', ''), 'hex')).appendUnsignedVarInt(parts.length + 1)
    for (const { partition, errorCode = 0, bytes } of parts) {
      writer.appendInt32(partition).appendInt16(errorCode).appendInt64(12n).appendInt64(11n).appendInt64(3n)
      writer.appendUnsignedVarInt(2).appendInt64(77n).appendInt64(4n)
      tagged(writer)
      writer.appendInt32(-1).appendUnsignedVarInt(bytes === null ? 0 : bytes.length + 1)
      if (bytes) writer.append(bytes)
      tagged(writer)
    }
    tagged(writer)
  }
  return tagged(writer).buffer
}

function readBack(record: OutgoingRecord) {
  const [partition] = readFetchResponse(answer([{ partition: 0, bytes: encodeBatch([record], identity) }])).partitions
  return partition?.batches[0]?.records ?? []
}

/** What the client library reads of the same bytes. */
function libraryShapeOf(bytes: Buffer) {
  return fetchV17.parseResponse(0, 1, 17, Reader.from(bytes)).responses.flatMap(({ topicId, partitions }) =>
    partitions.map(({ partitionIndex, errorCode, lastStableOffset, abortedTransactions, records: batches }) => ({
      ...{ topicId, partition: partitionIndex, errorCode, lastStableOffset, abortedTransactions },
      batches: batches?.map((batch) => ({ ...batch, records: batch.records })),
    })),
  )
}

describe('an answer to a fetch', () => {
  test('is read as the client library reads it', () => {
    const batch = encodeBatch(records, identity)
    const read = readFetchResponse(answer([{ partition: 4, bytes: Buffer.concat([batch, batch]) }]))
    const [expected] = libraryShapeOf(answer([{ partition: 4, bytes: batch }]))
    const [first, second] = read.partitions
    expect(read.partitions).toHaveLength(2)
    expect(second?.topicId).toBe(topicIds[1])
    expect(first).toMatchObject({
      topicId: expected?.topicId,
      partition: 4,
      errorCode: 0,
      lastStableOffset: 11n,
      abortedTransactions: [{ producerId: 77n, firstOffset: 4n }],
    })
    expect(first?.batches).toHaveLength(2)
    const [ours, theirs] = [first?.batches[1], expected?.batches?.[0]]
    expect(ours).toMatchObject({
      firstOffset: theirs?.firstOffset,
      attributes: theirs?.attributes,
      lastOffsetDelta: theirs?.lastOffsetDelta,
      firstTimestampMs: Number(theirs?.firstTimestamp),
      producerId: theirs?.producerId,
    })
    expect(ours?.records).toEqual(
      theirs?.records.map(({ offsetDelta, timestampDelta, key, value, headers }) => ({
        ...{ offsetDelta, key, value, timestampDelta: Number(timestampDelta) },
        headers: new Map(headers.map(([name, text]) => [String(name), String(text)])),
      })),
    )
  })

  test.each(['gzip', 'zstd', 'lz4', 'snappy'] as const)('has batches that others compressed with %s', (compression) => {
    const messages = records.map(({ topic, value, timestampMs }) => ({
      ...{ topic, value, timestamp: BigInt(timestampMs) },
      key: Buffer.from('key'),
      headers: new Map([[Buffer.from('name'), Buffer.from('text')]]),
    }))
    const { buffer } = createRecordsBatch(messages, { compression })
    const [partition] = readFetchResponse(answer([{ partition: 0, bytes: buffer }])).partitions
    expect(partition?.batches.flatMap((batch) => batch.records)).toEqual(
      messages.map(({ value }, offsetDelta) => ({
        ...{ offsetDelta, value },
        timestampDelta: offsetDelta === 0 ? 0 : -600,
        key: Buffer.from('key'),
        headers: new Map([['name', 'text']]),
      })),
    )
  })

  test('has headers as they are beside their texts where these would lose something, and only there', () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 80 }).map((some) => Buffer.from(some)),
      fc.string({ unit: 'grapheme', maxLength: 80 }).map((text) => Buffer.from(text)),
    )
    const header = fc.tuple(
      fc.oneof(
        bytes,
        fc.constantFrom('a', 'b').map((text) => Buffer.from(text)),
      ),
      fc.option(bytes),
    )
    fc.assert(
      fc.property(fc.array(header, { maxLength: 6 }), (rawHeaders) => {
        const [record] = readBack({
          topic: 't',
          value: Buffer.from('v'),
          headers: new Map(),
          rawHeaders,
          timestampMs: 1,
        })
        const names = new Set(rawHeaders.map(([name]) => name.toString()))
        const isText = rawHeaders.every(([name, value]) => value !== null && isUtf8(name) && isUtf8(value))
        expect(record?.rawHeaders).toEqual(isText && names.size === rawHeaders.length ? undefined : rawHeaders)
        const texts = rawHeaders.map(([name, value]): [string, string] => [
          String(name),
          value === null ? '' : String(value),
        ])
        expect(record?.headers).toEqual(new Map(texts))
      }),
    )
  })

  test('has them from compressed batches too', () => {
    const headers: [Buffer, Buffer][] = [
      [Buffer.from('one'), Buffer.from([0xc3])],
      [Buffer.from('two'), Buffer.from('2')],
    ]
    const message = { topic: 't', value: Buffer.from('v'), timestamp: 1n, headers: new Map(headers) }
    const { buffer } = createRecordsBatch([message], { compression: 'gzip' })
    const [partition] = readFetchResponse(answer([{ partition: 0, bytes: buffer }])).partitions
    expect(partition?.batches[0]?.records[0]?.rawHeaders).toEqual(headers)
  })

  test('has a tombstone, and raw headers before those that are texts', () => {
    const rawHeaders: RawHeader<Buffer>[] = [[Buffer.from([0xff]), null]]
    const [record] = readBack({ topic: 't', value: null, rawHeaders, headers: new Map([['b', 'c']]), timestampMs: 1 })
    expect(record?.value).toBeNull()
    expect(record?.rawHeaders).toEqual([...rawHeaders, [Buffer.from('b'), Buffer.from('c')]])
    expect(record?.headers.get('b')).toBe('c')
  })

  test('says when the broker stored a batch where that is the time of its records', () => {
    const batch = encodeBatch(records, identity)
    batch.writeInt16BE(0b1000, 21)
    batch.writeBigInt64BE(5_000n, 35)
    const [partition] = readFetchResponse(answer([{ partition: 0, bytes: batch }])).partitions
    expect(partition?.batches[0]?.appendTimeMs).toBe(5_000)
    const [other] = readFetchResponse(answer([{ partition: 0, bytes: encodeBatch(records, identity) }])).partitions
    expect(other?.batches[0]?.appendTimeMs).toBeUndefined()
  })

  test('may have nothing, a fault, or half a batch at its end', () => {
    const batch = encodeBatch(records, identity)
    const cut = Buffer.concat([batch, batch.subarray(0, batch.length - 1)])
    const parts: Part[] = [
      { partition: 0, bytes: null },
      { partition: 1, errorCode: 6, bytes: Buffer.alloc(0) },
      { partition: 2, bytes: cut },
      { partition: 3, bytes: batch.subarray(0, 40) },
    ]
    const { partitions } = readFetchResponse(answer(parts))
    expect(partitions.slice(0, 4).map(({ errorCode, batches }) => [errorCode, batches.length])).toEqual([
      [0, 0],
      [6, 0],
      [0, 1],
      [0, 0],
    ])
  })

  test('that breaks off is an error, and not a part of the answer', () => {
    const bytes = answer([{ partition: 0, bytes: encodeBatch(records, identity) }])
    for (let end = 0; end < bytes.length - 5; end += 97) {
      expect(() => readFetchResponse(bytes.subarray(0, end))).toThrow(RangeError)
    }
  })
})
