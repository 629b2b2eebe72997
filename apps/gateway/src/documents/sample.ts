/** Made-up data that looks as a schema wants it, as far as that can be told without solving puzzles: a pattern is left to the reader. */
import { isJsonArray, isJsonObject, isPointer, type JsonObject, type JsonValue, valueAt } from '@millrace/core/json'

/** A schema may hold itself, and may be as wide as it likes. */
const depthMax = 8
const valuesMax = 500

type Making = { readonly root: JsonObject; left: number }

const texts: Readonly<Record<string, string>> = {
  'date-time': '2026-01-31T12:00:00Z',
  date: '2026-01-31',
  time: '12:00:00Z',
  duration: 'PT1H',
  email: 'ada@example.com',
  hostname: 'example.com',
  ipv4: '192.0.2.1',
  ipv6: '2001:db8::1',
  uri: 'https://example.com/',
  uuid: '7c9e6679-7425-40de-944b-e07fc1f90ae7',
}

export function sampleOf(root: JsonObject): JsonValue {
  return valueOf(root, { root, left: valuesMax }, depthMax)
}

function valueOf(schema: JsonValue | undefined, making: Making, depth: number): JsonValue {
  if (!isJsonObject(schema) || depth < 0 || making.left-- <= 0) return {}
  const { $ref, const: only, enum: values, examples, default: fallback, allOf } = schema
  if (typeof $ref === 'string') return valueOf(referred($ref, making.root), making, depth - 1)
  if (only !== undefined) return only
  if (isJsonArray(examples) && examples.length > 0) return first(examples)
  if (isJsonArray(values) && values.length > 0) return first(values)
  if (fallback !== undefined) return fallback
  if (isJsonArray(allOf)) return merged([{ ...schema, allOf: null }, ...allOf], making, depth)
  const branches = [schema['oneOf'], schema['anyOf']].find(isJsonArray)
  if (branches && !isJsonObject(schema['properties'])) {
    return valueOf(branches.find((branch) => !isNull(branch)) ?? first(branches), making, depth - 1)
  }
  return valueOfType(typeOf(schema), schema, making, depth)
}

function valueOfType(type: JsonValue | undefined, schema: JsonObject, making: Making, depth: number): JsonValue {
  switch (type) {
    case 'object':
      return objectOf(schema, making, depth)
    case 'array':
      return schema['maxItems'] === 0 || depth === 0 ? [] : listOf(schema, making, depth)
    case 'integer':
      return numberOf(schema, 1)
    case 'number':
      return numberOf(schema, 1.5)
    case 'boolean':
      return true
    case 'null':
      return null
    case 'string':
      return textOf(schema)
    default:
      return {}
  }
}

function objectOf(schema: JsonObject, making: Making, depth: number): JsonObject {
  const { properties, required, additionalProperties: others } = schema
  const needed = new Set(isJsonArray(required) ? required : [])
  const taken = Object.entries(isJsonObject(properties) ? properties : {})
    .slice(0, Math.max(0, making.left))
    .filter(([name]) => !isLeftOut(name, schema['x-oneofs']))
    // What holds itself ends where it may.
    .filter(([name]) => needed.has(name) || depth > depthMax - 4)
    .map(([name, property]): [string, JsonValue] => [name, valueOf(property, making, depth - 1)])
  if (taken.length === 0 && isJsonObject(others) && depth > 0) return { name: valueOf(others, making, depth - 1) }
  return Object.fromEntries(taken)
}

/** Of the fields of a oneof the first is shown. */
function isLeftOut(name: string, oneofs: JsonValue | undefined): boolean {
  return isJsonArray(oneofs) && oneofs.some((names) => isJsonArray(names) && names.indexOf(name) > 0)
}

function listOf({ items, prefixItems, minItems }: JsonObject, making: Making, depth: number): JsonValue[] {
  const tuple = [prefixItems, items].find(isJsonArray)
  if (tuple) return tuple.map((item) => valueOf(item, making, depth - 1))
  const length = typeof minItems === 'number' ? Math.min(Math.max(1, minItems), 10) : 1
  return Array.from({ length }, () => valueOf(items, making, depth - 1))
}

function numberOf(schema: JsonObject, wanted: number): number {
  const { minimum, exclusiveMinimum, maximum, exclusiveMaximum, multipleOf } = schema
  const step = typeof multipleOf === 'number' ? multipleOf : 1
  if (typeof multipleOf === 'number') wanted = multipleOf
  if (typeof minimum === 'number' && minimum > wanted) return Math.ceil(minimum / step) * step
  if (typeof exclusiveMinimum === 'number' && exclusiveMinimum >= wanted)
    return (Math.floor(exclusiveMinimum / step) + 1) * step
  if (typeof maximum === 'number' && maximum < wanted) return Math.floor(maximum / step) * step
  if (typeof exclusiveMaximum === 'number' && exclusiveMaximum <= wanted) {
    return (Math.ceil(exclusiveMaximum / step) - 1) * step
  }
  return wanted
}

function textOf({ format, minLength, maxLength }: JsonObject): string {
  if (typeof format === 'string' && texts[format] !== undefined) return texts[format]
  const length = typeof minLength === 'number' ? Math.min(minLength, 1_000) : 0
  const text = 'text'.padEnd(length, 'x')
  return typeof maxLength === 'number' ? text.slice(0, maxLength) : text
}

function merged(schemas: readonly JsonValue[], making: Making, depth: number): JsonValue {
  const values = schemas.map((schema) => valueOf(schema, making, depth - 1))
  return values.every(isJsonObject)
    ? Object.fromEntries(values.flatMap((value) => Object.entries(value)))
    : (values.find((one) => !isJsonObject(one)) ?? {})
}

function typeOf(schema: JsonObject): JsonValue | undefined {
  const { type } = schema
  if (isJsonArray(type)) return type.find((one) => one !== 'null') ?? 'null'
  if (type !== undefined) return type
  return isJsonObject(schema['properties']) || schema['additionalProperties'] !== undefined ? 'object' : undefined
}

function referred(reference: string, root: JsonObject): JsonValue | undefined {
  const pointer = reference.startsWith('#') ? reference.slice(1) : undefined
  return isPointer(pointer) ? valueAt(root, pointer) : undefined
}

function isNull(schema: JsonValue): boolean {
  return isJsonObject(schema) && schema['type'] === 'null'
}

function first(list: readonly JsonValue[]): JsonValue {
  return list[0] ?? null
}
