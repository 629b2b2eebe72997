/** Made-up data that looks as a schema wants it, as far as that can be told without solving puzzles: a pattern is left to the reader. */
import { isJsonArray, isJsonObject, isPointer, type JsonObject, type JsonValue, valueAt } from '@millrace/core/json'

/** A schema may hold itself, and may be as wide as it likes. */
const depthMax = 64
const valuesMax = 500

type Making = {
  readonly root: JsonObject
  /** The references that are being followed: what holds itself ends where it may. */
  readonly within: Set<string>
  left: number
}

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
  return valueOf(root, { root, within: new Set(['#']), left: valuesMax }, depthMax)
}

function valueOf(schema: JsonValue | undefined, making: Making, depth: number): JsonValue {
  if (!isJsonObject(schema) || depth < 0 || making.left-- <= 0) return {}
  const { $ref, const: only, enum: values, examples, default: fallback, allOf } = schema
  if (typeof $ref === 'string') return valueReferredTo($ref, making, depth)
  if (only !== undefined) return only
  if (isJsonArray(examples) && examples.length > 0) return first(examples)
  if (isJsonArray(values) && values.length > 0) return first(values)
  if (fallback !== undefined) return fallback
  if (isJsonArray(allOf)) return merged([{ ...schema, allOf: null }, ...allOf], making, depth)
  const branches = [schema['oneOf'], schema['anyOf']].find(isJsonArray)
  if (branches && !isJsonObject(schema['properties'])) {
    const branch = branches.find((one) => !isNull(one) && !leadsBack(one, making)) ?? branches.find(isNull)
    return valueOf(branch ?? first(branches), making, depth - 1)
  }
  return valueOfType(typeOf(schema), schema, making, depth)
}

function valueReferredTo(reference: string, making: Making, depth: number): JsonValue {
  const isOutermost = !making.within.has(reference)
  making.within.add(reference)
  const value = valueOf(referred(reference, making.root), making, depth - 1)
  if (isOutermost) making.within.delete(reference)
  return value
}

/** Whether a value of a schema holds one of a schema that it is within. */
function leadsBack(schema: JsonValue | undefined, making: Making): boolean {
  if (!isJsonObject(schema)) return false
  const { $ref, properties, required, items, additionalProperties: others } = schema
  if (typeof $ref === 'string') return making.within.has($ref)
  const needed = new Set(isJsonArray(required) ? required : [])
  const members = Object.entries(isJsonObject(properties) ? properties : {}).filter(([name]) => needed.has(name))
  return [items, others, ...members.map(([, member]) => member)].some((one) => leadsBack(one, making))
}

function valueOfType(type: JsonValue | undefined, schema: JsonObject, making: Making, depth: number): JsonValue {
  switch (type) {
    case 'object':
      return objectOf(schema, making, depth)
    case 'array':
      return listOf(schema, making, depth)
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
    .flatMap(([name, property]): [string, JsonValue][] => {
      const isShown = needed.has(name) || (making.left > 0 && !leadsBack(property, making))
      return isShown ? [[name, valueOf(property, making, depth - 1)]] : []
    })
  if (taken.length > 0 || !isJsonObject(others) || leadsBack(others, making)) return Object.fromEntries(taken)
  const name = valueOf(schema['propertyNames'], making, depth - 1)
  return { [typeof name === 'string' ? name : 'name']: valueOf(others, making, depth - 1) }
}

/** Of the fields of a oneof the first is shown. */
function isLeftOut(name: string, oneofs: JsonValue | undefined): boolean {
  return isJsonArray(oneofs) && oneofs.some((names) => isJsonArray(names) && names.indexOf(name) > 0)
}

function listOf(schema: JsonObject, making: Making, depth: number): JsonValue[] {
  const { items, prefixItems, minItems, maxItems } = schema
  const mayBeEmpty = minItems === undefined || minItems === 0
  if (maxItems === 0 || (mayBeEmpty && leadsBack(items, making))) return []
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
