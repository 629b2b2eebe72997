import { type SchemaDocument, type SchemaFormat, schemaText } from '@millrace/core/event-type'
import { isJsonObject, isJsonValue, type JsonObject, type JsonValue } from '@millrace/core/json'
import { avroShape } from './avro-shape.ts'
import { protobufShape } from './protobuf-shape.ts'

type Source = {
  readonly format: SchemaFormat
  readonly schema: SchemaDocument
  readonly references: readonly { readonly name: string; readonly schema: string }[]
}

/**
 * The data of an event as readers see it, whatever its format, as a JSON Schema.
 * @throws Error when the schema is none
 */
export function dataShape({ format, schema, references }: Source): JsonObject {
  switch (format) {
    case 'json':
      return objectOf(typeof schema === 'string' ? parsed(schema) : schema)
    case 'avro':
      return avroShape(
        // A text that is no JSON is the name of a type.
        typeof schema === 'string' ? (parsedIfJson(schema) ?? schema) : schema,
        references.map((reference) => parsed(reference.schema)),
      )
    case 'protobuf':
      return protobufShape(schemaText(schema), references)
  }
}

function parsed(text: string): JsonValue {
  const value: unknown = JSON.parse(text)
  if (isJsonValue(value)) return value
  throw new TypeError('not JSON')
}

function parsedIfJson(text: string): JsonValue | undefined {
  try {
    return parsed(text)
  } catch {
    return undefined
  }
}

function objectOf(value: JsonValue): JsonObject {
  return isJsonObject(value) ? value : {}
}
