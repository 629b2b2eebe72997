/**
 * Writes record batches as brokers store them, magic 2.
 * @see https://kafka.apache.org/documentation/#recordbatch
 */
import type { RawHeader } from '@millrace/core/dead-letter'
import { crc32c } from '@platformatic/kafka'
import { type OutgoingRecord, recordBytes } from './record.ts'

/** By which a broker tells a batch that it has already: the producer, and the number of the batch's first record in its partition. */
export type BatchIdentity = {
  readonly producerId: bigint
  readonly producerEpoch: number
  readonly sequence: number
  /** Its records are read only when the producer's transaction is committed. */
  readonly isTransactional?: boolean
}

const headBytes = 61
/** What the checksum covers begins here, what the length counts after `lengthEnd`. */
const crcAt = 17
const attributesAt = 21
const lengthEnd = 12
const magic = 2
const noLeaderEpoch = -1
const transactional = 1 << 4
/** The length of what is null. */
const none = -1

/** The bytes of one batch with these records, uncompressed. */
export function encodeBatch(records: readonly OutgoingRecord[], identity: BatchIdentity): Buffer {
  const firstTimestampMs = records[0]?.timestampMs ?? 0
  let maxTimestampMs = firstTimestampMs
  let bytesMax = headBytes
  for (const record of records) bytesMax += recordBytes(record)
  const writer = new BatchWriter(bytesMax)
  for (const [index, record] of records.entries()) {
    writer.record(record, index, record.timestampMs - firstTimestampMs)
    if (record.timestampMs > maxTimestampMs) maxTimestampMs = record.timestampMs
  }
  const batch = writer.bytes()
  batch.writeBigInt64BE(0n, 0) // the broker puts the offset here
  batch.writeInt32BE(batch.length - lengthEnd, 8)
  batch.writeInt32BE(noLeaderEpoch, 12)
  batch.writeInt8(magic, 16)
  batch.writeInt16BE(identity.isTransactional === true ? transactional : 0, attributesAt)
  batch.writeInt32BE(records.length - 1, 23)
  batch.writeBigInt64BE(BigInt(firstTimestampMs), 27)
  batch.writeBigInt64BE(BigInt(maxTimestampMs), 35)
  batch.writeBigInt64BE(identity.producerId, 43)
  batch.writeInt16BE(identity.producerEpoch, 51)
  batch.writeInt32BE(identity.sequence, 53)
  batch.writeInt32BE(records.length, 57)
  batch.writeUInt32BE(crc32c(batch.subarray(attributesAt)), crcAt)
  return batch
}

/** Batches are put together here and copied when their length is known; it grows to the largest batch. */
let scratch = Buffer.allocUnsafe(64 * 1_024)

class BatchWriter {
  readonly #bytes: Buffer
  #at = headBytes

  constructor(bytesMax: number) {
    if (scratch.length < bytesMax) scratch = Buffer.allocUnsafe(bytesMax)
    this.#bytes = scratch
  }

  bytes(): Buffer {
    return Buffer.from(this.#bytes.subarray(0, this.#at))
  }

  record({ key, value, headers, rawHeaders = [] }: OutgoingRecord, offsetDelta: number, timestampDelta: number): void {
    const start = this.#at
    this.#at += usualLengthBytes
    this.#bytes[this.#at++] = 0 // attributes: none are in use
    this.#varint(timestampDelta)
    this.#varint(offsetDelta)
    this.#nullable(key ?? null)
    this.#nullable(value)
    this.#varint(rawHeaders.length + headers.size)
    this.#rawHeaders(rawHeaders)
    this.#headers(headers)
    this.#prependLength(start)
  }

  #rawHeaders(headers: readonly RawHeader<Buffer>[]): void {
    for (const [name, value] of headers) {
      this.#nullable(name)
      this.#nullable(value)
    }
  }

  /** All in one go where they are ASCII, as they mostly are: a call into native code costs more than the copying. */
  #headers(headers: ReadonlyMap<string, string>): void {
    let all = ''
    let lengthsBeyondAscii = 0
    for (const [name, text] of headers) {
      all += lengthMark(name.length) + name + lengthMark(text.length) + text
      lengthsBeyondAscii += Number(name.length > oneByteMax) + Number(text.length > oneByteMax)
    }
    // The first byte of a length of two is beyond ASCII and takes two bytes in UTF-8; a character of a text that is beyond ASCII takes
    // two or more. So the sizes agree only where all texts are ASCII.
    if (Buffer.byteLength(all) === all.length + lengthsBeyondAscii) {
      this.#at += this.#bytes.write(all, this.#at, 'latin1')
      return
    }
    for (const [name, text] of headers) {
      this.#text(name)
      this.#text(text)
    }
  }

  /** The length is known last: where it takes more or less room than is usual, the record moves. */
  #prependLength(start: number): void {
    const body = start + usualLengthBytes
    const length = this.#at - body
    const lengthBytes = varintBytes(length)
    const end = body + length + lengthBytes - usualLengthBytes
    if (lengthBytes !== usualLengthBytes) this.#bytes.copyWithin(start + lengthBytes, body, body + length)
    this.#at = start
    this.#varint(length)
    this.#at = end
  }

  #nullable(bytes: Buffer | null): void {
    this.#varint(bytes?.length ?? none)
    if (!bytes) return
    this.#at += bytes.copy(this.#bytes, this.#at)
  }

  #text(text: string): void {
    this.#varint(Buffer.byteLength(text))
    this.#at += this.#bytes.write(text, this.#at)
  }

  /** A whole number as Protocol Buffers' sint64 writes it; exact below 2^52. */
  #varint(number: number): void {
    let rest = zigzag(number)
    while (rest > sevenBits) {
      this.#bytes[this.#at++] = (rest % 128) + 128
      rest = Math.floor(rest / 128)
    }
    this.#bytes[this.#at++] = rest
  }
}

const sevenBits = 0x7f
/** Longer ones have a length of two bytes or more. */
const oneByteMax = 63
/** Longer ones have a length of three bytes or more. */
const twoBytesMax = 8_191
const oneByteMarks = Array.from({ length: oneByteMax + 1 }, (_, length) => String.fromCharCode(2 * length))
/** Three bytes in UTF-8, so that a text that has it for its length is never taken for ASCII. */
const tooLong = '\u0800'
/** Of records from 64 to 8 191 bytes. */
const usualLengthBytes = 2

/** The length of a text as `varint` writes it, with a character for each byte. */
function lengthMark(length: number): string {
  if (length > twoBytesMax) return tooLong
  return oneByteMarks[length] ?? String.fromCharCode(((2 * length) % 128) + 128, Math.floor((2 * length) / 128))
}

function zigzag(number: number): number {
  return number < 0 ? -2 * number - 1 : 2 * number
}

function varintBytes(number: number): number {
  let bytes = 1
  for (let rest = zigzag(number); rest > sevenBits; rest = Math.floor(rest / 128)) bytes += 1
  return bytes
}
