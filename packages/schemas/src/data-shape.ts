import type { JsonObject } from '@millrace/core/json'
import { avroShape } from './avro-shape.ts'
import type { SchemaSource } from './codec.ts'
import { jsonShape } from './json-shape.ts'
import { protobufShape } from './protobuf-shape.ts'

/**
 * The data of an event as readers see it, whatever its format, as a JSON Schema in which every reference is `#` or `#/definitions/<name>`,
 * the name one of letters, digits, dots, dashes and underscores.
 * @throws Error when the schema is none
 */
export function dataShape(source: SchemaSource): JsonObject {
  switch (source.format) {
    case 'json':
      return jsonShape(source)
    case 'avro':
      return avroShape(source)
    case 'protobuf':
      return protobufShape(source)
  }
}
