/**
 * Avro without a library: one pass over the bytes both checks and reads them. What decodes first and checks later (or checks first and decodes
 * later) costs twice; and the libraries expand a few bytes into millions of items, put `__proto__` into prototypes, or round longs.
 */
import type { JsonValue } from '@millrace/core/json'
import { encodeDefaults } from './avro-defaults.ts'
import { AvroInput, failed } from './avro-input.ts'
import { AvroOutput } from './avro-output.ts'
import { type Read, readerOf } from './avro-reader.ts'
import { resolvingReader } from './avro-resolution.ts'
import { parseAvroSchema } from './avro-schema.ts'
import { writerOf } from './avro-writer.ts'
import type { Codec, Coded, Decode, SchemaSource } from './codec.ts'

/**
 * Avro on Kafka is the datum in the binary encoding. For readers it is JSON: records and maps are objects, bytes strings with a
 * character for each byte, longs beyond 2^53 their decimal digits in a string, floats that are no numbers "NaN", "Infinity" and
 * "-Infinity", logical types what they are stored as, and a union's value is bare unless another branch could be meant
 * (`{"int": 1}` in a union of int and long). The same is taken from producers, and Avro's own JSON encoding with it.
 * @see https://avro.apache.org/docs/1.12.0/specification/#encodings
 * @throws MillraceError 'registry.refused' when it is not an Avro schema, or cannot be used safely
 */
export function avroCodec(source: SchemaSource): Codec {
  const schema = parseAvroSchema(source)
  const defaults = encodeDefaults(schema)
  const write = writerOf(schema.type, { defaults, unions: 'json' })
  const fromBytes = decode(readerOf(schema.type), schema.textLength)
  return {
    format: 'avro',
    fromJson: (data: JsonValue): Coded => {
      const output = new AvroOutput()
      write(output, data)
      const { violations } = output
      // Read back, so that data has one form for readers and one set of bounds, however it came.
      return violations.length > 0 ? { ok: false, violations } : fromBytes(Buffer.from(output.taken()))
    },
    fromBytes,
    fromVersion: (writer) => {
      const written = parseAvroSchema(writer)
      const read = resolvingReader(written.type, schema.type, defaults)
      return decode(read, Math.max(written.textLength, schema.textLength))
    },
  }
}

function decode(read: Read, schemaLength: number): Decode {
  return (bytes) => {
    const input = new AvroInput(bytes, schemaLength)
    const data = read(input)
    if (data !== failed && input.left === 0) return { ok: true, value: bytes, data }
    if (data !== failed) input.fail(`ends at byte ${input.position}, and ${input.left} bytes follow`)
    return { ok: false, violations: [input.violation()] }
  }
}
