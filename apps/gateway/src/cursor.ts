/**
 * Where reading goes on, over all partitions of one topic: opaque to clients, the same for paging and streams, good at any instance.
 * In bytes: the version, the number of partitions, the offset of each in LEB128, a check sum. The topic is only in the check sum,
 * which keeps cursors short and tells a foreign one. It is no signature: whoever forges a cursor gains nothing that a token for the
 * topic does not give.
 */
import { crc32 } from 'node:zlib'
import type { Offsets } from '@millrace/kafka/admin'

const version = 1
const partitionsMax = 10_000
const checkSumBytes = 4
const textLengthMax = 64 * 1_024
const offsetMax = 2n ** 63n - 1n
/** Numbers are faster than bigints up to here. */
const safeMax = BigInt(Number.MAX_SAFE_INTEGER)

/** Partitions that are left out begin at 0, as a partition does that is added later. */
export function encodeCursor(topic: string, next: Offsets): string {
  const bytes = [version]
  const partitions = Math.max(-1, ...next.keys()) + 1
  writeNumber(bytes, partitions)
  for (let partition = 0; partition < partitions; partition++) writeOffset(bytes, next.get(partition) ?? 0n)
  const body = Buffer.from(bytes)
  return Buffer.concat([body, checkSum(topic, body)]).toString('base64url')
}

/** The offsets of a cursor; `undefined` for what is none, or one of another topic. */
export function decodeCursor(topic: string, text: string): Offsets | undefined {
  if (text.length > textLengthMax) return undefined
  const bytes = Buffer.from(text, 'base64url')
  const end = bytes.length - checkSumBytes
  if (bytes[0] !== version || end < 2) return undefined
  const body = bytes.subarray(0, end)
  if (!checkSum(topic, body).equals(bytes.subarray(end))) return undefined
  const next = readOffsets(body)
  // There is one way to write a cursor, so that two that differ in text differ in place.
  return next && encodeCursor(topic, next) === text ? next : undefined
}

function readOffsets(body: Buffer): Offsets | undefined {
  let at = 1
  const read = (): bigint | undefined => {
    let value = 0n
    for (let shift = 0n; shift < 64n; shift += 7n) {
      const byte = body[at++]
      if (byte === undefined) return undefined
      value |= BigInt(byte & 0x7f) << shift
      if (byte < 0x80) return value
    }
    return undefined
  }
  const partitions = read()
  if (partitions === undefined || partitions > partitionsMax) return undefined
  const next = new Map<number, bigint>()
  for (let partition = 0; partition < partitions; partition++) {
    const offset = read()
    if (offset === undefined || offset > offsetMax) return undefined
    next.set(partition, offset)
  }
  return at === body.length ? next : undefined
}

function writeOffset(bytes: number[], offset: bigint): void {
  if (offset <= safeMax) {
    writeNumber(bytes, Number(offset))
    return
  }
  bytes.push(Number(offset & 0x7fn) | 0x80)
  writeOffset(bytes, offset >> 7n)
}

function writeNumber(bytes: number[], value: number): void {
  let rest = value
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) | 0x80)
  bytes.push(rest)
}

function checkSum(topic: string, body: Buffer): Buffer {
  const sum = Buffer.alloc(checkSumBytes)
  sum.writeUInt32BE(crc32(body, crc32(topic)))
  return sum
}
