/**
 * Reads what a broker answers to a fetch. The client library can do it too, value by value over a chain of buffers; whoever follows
 * topics reads every record that is written, so here it is one pass over one buffer, and a batch's records are read when they are asked for.
 * @see https://kafka.apache.org/protocol.html#The_Messages_Fetch, version 17
 * @see https://kafka.apache.org/documentation/#recordbatch
 */
import { isUtf8 } from 'node:buffer'
import type { HeadersRead, RawHeader } from '@millrace/core/dead-letter'
import { Reader, readRecordsBatch } from '@platformatic/kafka'
import type { AbortedTransaction } from './aborted.ts'
import { ByteReader } from './byte-reader.ts'

export type FetchResponse = { readonly errorCode: number; readonly partitions: readonly PartitionResponse[] }

export type PartitionResponse = {
  readonly topicId: string
  readonly partition: number
  readonly errorCode: number
  readonly lastStableOffset: bigint
  readonly abortedTransactions: readonly AbortedTransaction[]
  readonly batches: readonly RecordBatch[]
}

export type BatchRecord = HeadersRead<Buffer> & {
  readonly offsetDelta: number
  readonly timestampDelta: number
  readonly key: Buffer | null
  readonly value: Buffer | null
}

/** @throws RangeError when the bytes end before the answer does */
export function readFetchResponse(bytes: Buffer): FetchResponse {
  const reader = new ByteReader(bytes)
  reader.skip(throttleBytes)
  const errorCode = reader.int16()
  reader.skip(sessionBytes)
  const partitions: PartitionResponse[] = []
  for (let topics = reader.length(); topics > 0; topics--) {
    const topicId = reader.uuid()
    for (let count = reader.length(); count > 0; count--) partitions.push(readPartition(reader, topicId))
    reader.skipTags()
  }
  return { errorCode, partitions }
}

const throttleBytes = 4
const sessionBytes = 4
const offsetBytes = 8
const preferredReplicaBytes = 4

function readPartition(reader: ByteReader, topicId: string): PartitionResponse {
  const partition = reader.int32()
  const errorCode = reader.int16()
  reader.skip(offsetBytes) // the high watermark
  const lastStableOffset = reader.int64()
  reader.skip(offsetBytes) // where the log begins
  const abortedTransactions: AbortedTransaction[] = []
  for (let count = reader.length(); count > 0; count--) {
    abortedTransactions.push({ producerId: reader.int64(), firstOffset: reader.int64() })
    reader.skipTags()
  }
  reader.skip(preferredReplicaBytes)
  const batches = readBatches(reader.bytes(Math.max(0, reader.length())))
  reader.skipTags()
  return { topicId, partition, errorCode, lastStableOffset, abortedTransactions, batches }
}

/** The last batch may be cut off: it is read with the next fetch. */
function readBatches(bytes: Buffer): RecordBatch[] {
  const batches: RecordBatch[] = []
  for (let at = 0; bytes.length - at >= headBytes;) {
    const end = at + lengthEnd + bytes.readInt32BE(at + offsetBytes)
    if (end > bytes.length) break
    if (end < at + headBytes) throw new RangeError('a batch is shorter than its own head')
    batches.push(new RecordBatch(bytes.subarray(at, end)))
    at = end
  }
  return batches
}

/** The offset and the length, which does not count these two. */
const lengthEnd = 12
const headBytes = 61
const compressed = 0b111
const appendTime = 1 << 3

/** A batch as it is stored. */
export class RecordBatch {
  readonly firstOffset: bigint
  readonly attributes: number
  readonly lastOffsetDelta: number
  readonly firstTimestampMs: number
  /** When the broker stored it, where the topic's records have that as their time; the records' own is not in force then. */
  readonly appendTimeMs: number | undefined
  readonly producerId: bigint
  readonly #bytes: Buffer

  constructor(bytes: Buffer) {
    this.firstOffset = bytes.readBigInt64BE(0)
    this.attributes = bytes.readInt16BE(21)
    this.lastOffsetDelta = bytes.readInt32BE(23)
    this.firstTimestampMs = Number(bytes.readBigInt64BE(27))
    this.appendTimeMs = this.attributes & appendTime ? Number(bytes.readBigInt64BE(35)) : undefined
    this.producerId = bytes.readBigInt64BE(43)
    this.#bytes = bytes
  }

  get records(): readonly BatchRecord[] {
    if (this.attributes & compressed) return inflated(this.#bytes)
    const reader = new ByteReader(this.#bytes, headBytes)
    const records: BatchRecord[] = []
    for (let count = this.#bytes.readInt32BE(57); count > 0; count--) records.push(readRecord(reader))
    return records
  }
}

function readRecord(reader: ByteReader): BatchRecord {
  const length = reader.varint()
  const end = reader.at + length
  reader.skip(1) // attributes: none are in use
  const timestampDelta = reader.varint()
  const offsetDelta = reader.varint()
  const key = reader.nullable(reader.varint())
  const value = reader.nullable(reader.varint())
  return { offsetDelta, timestampDelta, key, value, ...readHeaders(reader, end) }
}

/** As texts by their names, which is what they nearly always are; beside them the bytes where something of them would be lost so. */
function readHeaders(reader: ByteReader, end: number): HeadersRead<Buffer> {
  const count = reader.varint()
  const start = reader.at
  const { texts, exact } = reader.texts(2 * count, end)
  const headers = new Map<string, string>()
  for (let index = 0; index < texts.length; index += 2) headers.set(texts[index] ?? '', texts[index + 1] ?? '')
  if (exact && headers.size === count) return { headers }
  const again = reader.from(start)
  const rawHeaders = Array.from({ length: count }, (): RawHeader<Buffer> => {
    const name = again.bytes(again.varint())
    return [name, again.nullable(again.varint())]
  })
  return { headers, rawHeaders }
}

const absent = Buffer.alloc(0)

/** The library knows all compressions that Kafka has. */
function inflated(bytes: Buffer): BatchRecord[] {
  return readRecordsBatch(Reader.from(bytes)).records.map(({ offsetDelta, timestampDelta, key, value, headers }) => ({
    offsetDelta,
    timestampDelta: Number(timestampDelta),
    key,
    value,
    ...headersOf(headers),
  }))
}

function headersOf(pairs: readonly (readonly [Buffer | null, Buffer | null])[]): HeadersRead<Buffer> {
  const headers = new Map(pairs.map(([name, value]) => [(name ?? absent).toString(), (value ?? absent).toString()]))
  const isExact = (bytes: Buffer | null) => bytes !== null && isUtf8(bytes)
  if (headers.size === pairs.length && pairs.flat().every(isExact)) return { headers }
  return { headers, rawHeaders: pairs.map(([name, value]) => [name ?? absent, value]) }
}
