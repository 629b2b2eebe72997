import { MillraceError } from '@millrace/core/errors'
import { isJsonObject, isJsonValue, type JsonObject, type JsonValue } from '@millrace/core/json'
import type { Codec, Coded, SchemaSource } from './codec.ts'
import { compileJsonSchema } from './json-schema.ts'

const utf8 = new TextDecoder('utf-8', { fatal: true })

/** JSON on Kafka is the data as plain JSON in UTF-8. */
export function jsonCodec({ schema }: SchemaSource): Codec {
  const validate = compileJsonSchema(parsedSchema(schema))
  const fromJson = (data: JsonValue): Coded => {
    const violations = validate(data)
    return violations.length > 0
      ? { ok: false, violations }
      : { ok: true, value: Buffer.from(JSON.stringify(data)), data }
  }
  const fromBytes = (bytes: Buffer): Coded => {
    const data = parsed(bytes)
    return data === undefined
      ? { ok: false, violations: [{ pointer: '', detail: 'is not JSON in UTF-8' }] }
      : fromJson(data)
  }
  // JSON says what it means without its schema, so any version reads what another wrote.
  return { format: 'json', fromJson, fromBytes, fromVersion: () => fromBytes }
}

function parsedSchema(schema: SchemaSource['schema']): JsonObject {
  if (typeof schema !== 'string') return schema
  const value = parsed(Buffer.from(schema))
  if (isJsonObject(value)) return value
  throw new MillraceError('registry.refused', 'a JSON Schema is a JSON object')
}

function parsed(bytes: Buffer): JsonValue | undefined {
  try {
    const value: unknown = JSON.parse(utf8.decode(bytes))
    return isJsonValue(value) ? value : undefined
  } catch {
    return undefined
  }
}
