import { isJsonArray, isJsonObject, isPointer, type JsonObject, type JsonValue, valueAt } from '@millrace/core/json'
import { type Markup, markup } from './markup.ts'

/** Alternatives that a type names at most. */
const alternativesMax = 20
const componentPattern = /^#\/components\/schemas\/([A-Za-z]+)$/

/** The name of the shape that a schema is a reference to, where it has a section of its own. */
export function componentOf({ $ref }: JsonObject): string | undefined {
  return typeof $ref === 'string' ? componentPattern.exec($ref)?.[1] : undefined
}

/** What a schema refers to within the document; itself, where it is no reference. */
export function resolved(schema: JsonObject, whole: JsonObject): JsonObject {
  const { $ref } = schema
  const pointer = typeof $ref === 'string' && $ref.startsWith('#') ? $ref.slice(1) : undefined
  const found = isPointer(pointer) ? valueAt(whole, pointer) : undefined
  return isJsonObject(found) ? found : schema
}

/** Branches of which a value fits one. */
export function branchesOf(schema: JsonObject): readonly JsonObject[] {
  const list = [schema['anyOf'], schema['oneOf']].find(isJsonArray) ?? []
  // Those that say nothing but what is required are no types of their own.
  return list.filter(isJsonObject).filter((branch) => Object.keys(branch).some((name) => name !== 'required'))
}

/** A type in a few words: `string (date-time)`, `integer`, `Receipt[]`, `"a" | "b"`, `{int: integer}` where there is but one member. */
export function typeOf(schema: JsonObject, depth = 4): Markup {
  const component = componentOf(schema)
  if (component !== undefined) return markup`<a href="#schema-${component}">${component}</a>`
  const { $ref, type, format, enum: values, const: only, items } = schema
  if (typeof $ref === 'string')
    return markup`${
      $ref
        .split('/')
        .at(-1)
        ?.replace(/^data\..*?\.\./, '') ?? 'object'
    }`
  if (only !== undefined) return markup`${JSON.stringify(only)}`
  if (isJsonArray(values)) return joined(values.map((value) => markup`${JSON.stringify(value)}`))
  const branches = branchesOf(schema)
  if (type === undefined && branches.length > 0 && depth > 0)
    return joined(branches.map((one) => typeOf(one, depth - 1)))
  if (type === 'array') {
    const item = isJsonObject(items) && depth > 0 ? typeOf(items, depth - 1) : 'any'
    return markup`${item}[]`
  }
  const [member, ...others] = Object.entries(isJsonObject(schema['properties']) ? schema['properties'] : {})
  if (member && isJsonObject(member[1]) && others.length === 0 && depth > 0)
    return markup`{${member[0]}: ${typeOf(member[1], depth - 1)}}`
  const names = isJsonArray(type) ? type.map(String).join(' | ') : typeof type === 'string' ? type : impliedType(schema)
  return markup`${names}${typeof format === 'string' ? ` (${format})` : ''}`
}

function impliedType(schema: JsonObject): string {
  return isJsonObject(schema['properties']) || schema['x-oneofs'] !== undefined ? 'object' : 'any'
}

function joined(types: readonly Markup[]): Markup {
  const shown = types.slice(0, alternativesMax).map((type, index) => (index === 0 ? type : markup` | ${type}`))
  return markup`${shown}${types.length > alternativesMax ? ` | … (${types.length})` : ''}`
}

function textOf(value: JsonValue): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}

const bounds: readonly (readonly [string, (value: string) => string])[] = [
  ['minimum', (value) => `at least ${value}`],
  ['exclusiveMinimum', (value) => `more than ${value}`],
  ['maximum', (value) => `at most ${value}`],
  ['exclusiveMaximum', (value) => `less than ${value}`],
  ['multipleOf', (value) => `a multiple of ${value}`],
  ['minLength', (value) => `length at least ${value}`],
  ['maxLength', (value) => `length at most ${value}`],
  ['minItems', (value) => `items at least ${value}`],
  ['maxItems', (value) => `items at most ${value}`],
  ['pattern', (value) => `matches ${value}`],
  ['default', (value) => `default ${value}`],
]

/** What a schema asks for beyond its type. */
export function boundsOf(schema: JsonObject): string {
  return bounds
    .flatMap(([keyword, say]) => (schema[keyword] === undefined ? [] : [say(textOf(schema[keyword]))]))
    .join(', ')
}
