import { isJsonObject, isJsonValue, type JsonObject, type JsonValue } from '@millrace/core/json'
import { avroShape } from './avro-shape.ts'
import type { SchemaSource } from './codec.ts'
import { protobufShape } from './protobuf-shape.ts'

/**
 * The data of an event as readers see it, whatever its format, as a JSON Schema.
 * @throws Error when the schema is none
 */
export function dataShape(source: SchemaSource): JsonObject {
  const { format, schema } = source
  switch (format) {
    case 'json':
      return objectOf(typeof schema === 'string' ? parsed(schema) : schema)
    case 'avro':
      return avroShape(source)
    case 'protobuf':
      return protobufShape(source)
  }
}

function parsed(text: string): JsonValue {
  const value: unknown = JSON.parse(text)
  if (isJsonValue(value)) return value
  throw new TypeError('not JSON')
}

function objectOf(value: JsonValue): JsonObject {
  return isJsonObject(value) ? value : {}
}
