/** The Schema Registry's wire format: a zero byte, the schema's id in four bytes, for Protobuf the message's indexes, the payload. */
import type { SchemaFormat } from '@millrace/core/event-type'

export type Framed = {
  readonly schemaId: number
  /** Which message of a Protobuf file it is, from the outermost in. */
  readonly messageIndexes: readonly number[]
  readonly payload: Buffer
}

const magic = 0
const headerBytes = 5
const nestingMax = 32
const first = [0]

/**
 * The payload in its frame.
 * @see https://docs.confluent.io/platform/current/schema-registry/fundamentals/serdes-develop/index.html#wire-format
 */
export function frame(format: SchemaFormat, { schemaId, messageIndexes, payload }: Framed): Buffer {
  const header = Buffer.alloc(headerBytes)
  header.writeUInt8(magic, 0)
  header.writeUInt32BE(schemaId, 1)
  const indexes = format === 'protobuf' ? Buffer.from(indexBytes(messageIndexes)) : Buffer.alloc(0)
  return Buffer.concat([header, indexes, payload])
}

/** A payload as records keep it: JSON as it is, Avro and Protobuf in a frame, there as the file's first message. */
export function framedPayload(format: SchemaFormat, schemaId: number, payload: Buffer): Buffer {
  return format === 'json' ? payload : frame(format, { schemaId, messageIndexes: first, payload })
}

/** What is in a frame, or `undefined` where these bytes are not framed. */
export function unframe(format: SchemaFormat, bytes: Buffer): Framed | undefined {
  if (bytes.length <= headerBytes - 1 || bytes[0] !== magic) return undefined
  const schemaId = bytes.readUInt32BE(1)
  const rest = bytes.subarray(headerBytes)
  if (format !== 'protobuf') return { schemaId, messageIndexes: first, payload: rest }
  const indexes = readIndexes(rest)
  return indexes && { schemaId, messageIndexes: indexes.values, payload: rest.subarray(indexes.end) }
}

/** The first message alone, by far the most frequent, is one zero byte. */
function indexBytes(indexes: readonly number[]): number[] {
  return indexes.length === 1 && indexes[0] === 0 ? [0] : [indexes.length, ...indexes].flatMap(zigzagBytes)
}

function readIndexes(bytes: Buffer): { values: readonly number[]; end: number } | undefined {
  const count = readZigzag(bytes, 0)
  if (!count || count.value < 0 || count.value > nestingMax) return undefined
  if (count.value === 0) return { values: first, end: count.end }
  const values: number[] = []
  let end = count.end
  while (values.length < count.value) {
    const index = readZigzag(bytes, end)
    if (!index || index.value < 0) return undefined
    values.push(index.value)
    end = index.end
  }
  return { values, end }
}

function zigzagBytes(value: number): number[] {
  const bytes: number[] = []
  let rest = value * 2
  for (; rest > 0x7f; rest >>>= 7) bytes.push((rest & 0x7f) | 0x80)
  return [...bytes, rest]
}

function readZigzag(bytes: Buffer, start: number): { value: number; end: number } | undefined {
  let bits = 0
  for (let index = 0; index < 5; index++) {
    const byte = bytes[start + index]
    if (byte === undefined) return undefined
    bits += (byte & 0x7f) * 2 ** (7 * index)
    if (byte < 0x80) return { value: bits % 2 === 0 ? bits / 2 : -(bits + 1) / 2, end: start + index + 1 }
  }
  return undefined
}
