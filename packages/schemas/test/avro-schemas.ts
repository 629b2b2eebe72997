/** Avro schemas in few words, and what a codec says to them. */
import { MillraceError } from '@millrace/core/errors'
import type { JsonObject, JsonValue } from '@millrace/core/json'
import { avroCodec } from '../src/avro-codec.ts'
import type { Codec, Coded, SchemaSource } from '../src/codec.ts'

export function avroSource(schema: JsonValue): SchemaSource {
  return { format: 'avro', schema: JSON.stringify(schema), references: [] }
}

export function avroCodecOf(schema: JsonValue): Codec {
  return avroCodec(avroSource(schema))
}

export function recordOf(name: string, fields: Readonly<Record<string, JsonValue>>): JsonObject {
  return { type: 'record', name, fields: Object.entries(fields).map(([field, type]) => ({ name: field, type })) }
}

export function arrayOf(items: JsonValue): JsonObject {
  return { type: 'array', items }
}

export function mapOf(values: JsonValue): JsonObject {
  return { type: 'map', values }
}

export function enumOf(name: string, symbols: readonly string[], more: JsonObject = {}): JsonObject {
  return { type: 'enum', name, symbols, ...more }
}

export function fixedOf(name: string, size: number, more: JsonObject = {}): JsonObject {
  return { type: 'fixed', name, size, ...more }
}

/** What is wrong, as `<pointer>: <detail>`. */
export function violationsOf(coded: Coded): readonly string[] {
  return coded.ok ? [] : coded.violations.map(({ pointer, detail }) => `${pointer}: ${detail}`)
}

/** Why a schema is refused, or `undefined` where it is not. */
export function refusalOf(compile: () => unknown): string | undefined {
  try {
    compile()
    return undefined
  } catch (error) {
    if (error instanceof MillraceError && error.code === 'registry.refused') return error.message
    throw error
  }
}
