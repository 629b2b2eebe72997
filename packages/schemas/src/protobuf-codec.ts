import { MillraceError } from '@millrace/core/errors'
import { pointerOf } from '@millrace/core/json'
import type { Codec, Coded, Decode, SchemaSource } from './codec.ts'
import type { MessageType } from './protobuf-descriptor.ts'
import { parseProtobuf, refused } from './protobuf-file.ts'
import { linkProtobuf, type ProtobufSchema } from './protobuf-link.ts'
import { readPayload } from './protobuf-read.ts'
import { WireFault } from './protobuf-wire.ts'
import { writePayload } from './protobuf-write.ts'

const first = [0]

/**
 * Protobuf (proto3). Readers see ProtoJSON, with fields that cannot be told from absent always there; JSON is taken as the first message
 * of the file. Bytes are kept as they were sent, with fields that only newer schemas know.
 * @see https://protobuf.dev/programming-guides/json/
 */
export function protobufCodec(source: SchemaSource): Codec {
  const schema = compiled(source)
  const fromBytes: Decode = (bytes, messageIndexes = first) => {
    const type = schema.byIndexes(messageIndexes)
    return type ? read(type, bytes) : noMessage(messageIndexes)
  }
  return {
    format: 'protobuf',
    fromJson: (data) => {
      const type = schema.byIndexes(first)
      if (!type) return noMessage(first)
      const written = writePayload(type, data)
      return Buffer.isBuffer(written) ? read(type, written) : { ok: false, violations: written }
    },
    fromBytes,
    fromVersion: (writer) => fromWriter(schema, compiled(writer)),
  }
}

function compiled({ schema, references }: SchemaSource): ProtobufSchema {
  if (typeof schema !== 'string') throw refused('it must be the text of a .proto file')
  return linkProtobuf(parseProtobuf(schema, references))
}

/** Fields are known by their numbers, messages by their names: those that both schemas have can be read. */
function fromWriter(schema: ProtobufSchema, writer: ProtobufSchema): Decode {
  const names = [...writer.byName.keys()].filter((name) => !name.startsWith('google.protobuf.'))
  if (!names.some((name) => schema.byName.has(name))) {
    throw new MillraceError('registry.refused', 'none of the messages of that version is in this one')
  }
  return (bytes, messageIndexes = first) => {
    const written = writer.byIndexes(messageIndexes)
    if (!written) return noMessage(messageIndexes)
    const type = schema.byName.get(written.name)
    if (!type) return violation(`is a ${written.name}, which the current version of the schema does not know`)
    const checked = read(written, bytes)
    return checked.ok ? read(type, bytes) : checked
  }
}

function read(type: MessageType, bytes: Buffer): Coded {
  try {
    return { ok: true, value: bytes, data: readPayload(type, bytes) }
  } catch (fault) {
    if (!(fault instanceof WireFault)) throw fault
    return { ok: false, violations: [{ pointer: fault.pointer, detail: fault.message }] }
  }
}

function noMessage(indexes: readonly number[]): Coded {
  return violation(
    `is said to be the message with the indexes ${indexes.slice(0, 8).join(', ')}, which the schema does not have`,
  )
}

function violation(detail: string): Coded {
  return { ok: false, violations: [{ pointer: pointerOf(), detail }] }
}
