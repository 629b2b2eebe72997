import type { Violation } from '@millrace/core/cloud-event'
import {
  isJsonObject,
  isPointer,
  type JsonObject,
  type JsonPointer,
  type JsonValue,
  pointerOf,
} from '@millrace/core/json'
import { MillraceError } from '@millrace/core/errors'
import { Ajv, type ErrorObject, type Options, type ValidateFunction } from 'ajv'
import { Ajv2019 } from 'ajv/dist/2019.js'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { fullFormats } from 'ajv-formats/dist/formats.js'

/** Checks data against one schema: what is wrong with it, or an empty list. Pointers are relative to the data. */
export type JsonValidator = (data: JsonValue) => readonly Violation[]

/** How many violations an answer names at most. */
export const violationsMax = 50
/** Data with more values than this is told its first violation only: to look for all of them takes time and memory. */
const exhaustiveValuesMax = 10_000

const options: Options = {
  // Schemas of others carry keywords that we do not know (`javaType`, `connect.index`).
  strict: false,
  formats: fullFormats,
  removeAdditional: false,
  useDefaults: false,
  coerceTypes: false,
  logger: false,
}

/**
 * Compiles a JSON Schema: draft-07, 2019-09 or 2020-12 by its `$schema`, draft-07 where it has none.
 * @throws MillraceError 'registry.refused' when it is not a schema, or refers to one that it does not contain.
 */
export function compileJsonSchema(schema: JsonObject): JsonValidator {
  const first = compile(schema, { ...options, allErrors: false })
  // Most schemas never see invalid data, so what finds all violations is made when it is needed.
  let all: ValidateFunction | undefined
  return (data) => {
    if (first(data)) return []
    if (countValues(data, exhaustiveValuesMax) >= exhaustiveValuesMax) return violationsOf(first.errors ?? [])
    all ??= compile(schema, { ...options, allErrors: true })
    all(data)
    return violationsOf(all.errors ?? [])
  }
}

function compile(schema: JsonObject, ajvOptions: Options): ValidateFunction {
  try {
    return compilerOf(schema, ajvOptions)(schema)
  } catch (cause) {
    const detail = cause instanceof Error ? cause.message : String(cause)
    throw new MillraceError('registry.refused', `this is not a JSON Schema that can be used: ${detail}`, { cause })
  }
}

function compilerOf({ $schema }: JsonObject, ajvOptions: Options): (schema: JsonObject) => ValidateFunction {
  const dialect = typeof $schema === 'string' ? $schema : ''
  if (dialect.includes('2020-12')) return (schema) => new Ajv2020(ajvOptions).compile(schema)
  if (dialect.includes('2019-09')) return (schema) => new Ajv2019(ajvOptions).compile(schema)
  return (schema) => new Ajv(ajvOptions).compile(schema)
}

function violationsOf(errors: readonly ErrorObject[]): Violation[] {
  const violations = errors.slice(0, violationsMax).map((error) => ({
    pointer: pointerOfError(error),
    detail: error.message ?? 'is not valid',
  }))
  return violations.filter(
    ({ pointer, detail }, index) => violations.findIndex((v) => v.pointer === pointer && v.detail === detail) === index,
  )
}

/** Where it is wrong: a property that is missing or one too many is named itself, not the object around it. */
function pointerOfError({ instancePath, params }: ErrorObject): JsonPointer {
  const property = propertyOf(params)
  const pointer = property === undefined ? instancePath : instancePath + pointerOf(property)
  return isPointer(pointer) ? pointer : ''
}

function propertyOf(params: unknown): string | undefined {
  if (!isJsonObject(params)) return undefined
  for (const name of ['missingProperty', 'additionalProperty', 'unevaluatedProperty']) {
    const property = params[name]
    if (typeof property === 'string') return property
  }
  return undefined
}

/** Counts the values in a document, but no further than `limit`. */
function countValues(document: JsonValue, limit: number): number {
  const left: JsonValue[] = [document]
  let count = 0
  for (let value = left.pop(); value !== undefined && count < limit; value = left.pop()) {
    count++
    if (typeof value !== 'object' || value === null) continue
    for (const child of Object.values(value)) {
      if (left.length > limit) return limit
      left.push(child)
    }
  }
  return count
}
