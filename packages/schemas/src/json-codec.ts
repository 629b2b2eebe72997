import type { Violation } from '@millrace/core/cloud-event'
import { MillraceError } from '@millrace/core/errors'
import { isJsonObject, isJsonValue, type JsonObject, type JsonValue } from '@millrace/core/json'
import type { Codec, Coded, SchemaSource } from './codec.ts'
import { jsonViolation, parseExactJson } from './exact-json.ts'
import { compileJsonSchema } from './json-schema.ts'

/** JSON on Kafka is the data as plain JSON in UTF-8. */
export function jsonCodec({ schema, references }: SchemaSource): Codec {
  const validate = compileJsonSchema(parsedSchema(schema), references)
  const fromJson = (data: JsonValue): Coded => {
    const violations = validate(data)
    return violations.length > 0
      ? { ok: false, violations }
      : { ok: true, value: Buffer.from(JSON.stringify(data)), data }
  }
  const fromBytes = (bytes: Buffer): Coded => {
    const parsed = parsedJson(bytes)
    return parsed.ok ? fromJson(parsed.data) : { ok: false, violations: [parsed.violation] }
  }
  // JSON says what it means without its schema, so any version reads what another wrote.
  return { format: 'json', fromJson, fromBytes, fromVersion: () => fromBytes }
}

type Parsed = { readonly ok: true; readonly data: JsonValue } | { readonly ok: false; readonly violation: Violation }

/** @throws MillraceError 'registry.refused' when it is not a JSON object */
export function parsedSchema(schema: SchemaSource['schema']): JsonObject {
  if (typeof schema !== 'string') return schema
  const parsed = parsedJson(Buffer.from(schema))
  if (parsed.ok && isJsonObject(parsed.data)) return parsed.data
  const reason = parsed.ok ? 'is not a JSON object' : `${parsed.violation.pointer} ${parsed.violation.detail}`
  throw new MillraceError('registry.refused', `this JSON Schema cannot be used: it ${reason.trim()}`)
}

function parsedJson(bytes: Buffer): Parsed {
  const parsed = parseExactJson(bytes)
  if (!parsed.ok) return { ok: false, violation: { pointer: '', detail: parsed.detail } }
  const violation = parsed.plain ? undefined : jsonViolation(parsed.value)
  if (violation) return { ok: false, violation }
  return isJsonValue(parsed.value)
    ? { ok: true, data: parsed.value }
    : { ok: false, violation: { pointer: '', detail: 'is not JSON' } }
}
