import { avroCodec } from './avro-codec.ts'
import type { Codec, SchemaSource } from './codec.ts'
import { jsonCodec } from './json-codec.ts'
import { protobufCodec } from './protobuf-codec.ts'

/**
 * Compiles a schema.
 * @throws MillraceError 'registry.refused' when it is not a schema of its format, or cannot be used safely
 */
export function compileCodec(source: SchemaSource): Codec {
  switch (source.format) {
    case 'json':
      return jsonCodec(source)
    case 'avro':
      return avroCodec(source)
    case 'protobuf':
      return protobufCodec(source)
  }
}
