/**
 * How a union's value looks in JSON. Avro's own encoding, `{"string": "x"}`, is always understood. Readers get the plain `"x"` wherever
 * the union has no other branch of the same kind of JSON, and then it is understood too: what readers get can be sent again.
 */
import { isJsonObject, type JsonObject, type JsonValue } from '@millrace/core/json'
import { exactDigits } from './avro-number.ts'
import { type AvroType, type AvroUnion, branchName } from './avro-schema.ts'

type JsonKind = 'null' | 'boolean' | 'number' | 'string' | 'array' | 'object'

export type Branches = {
  readonly names: readonly string[]
  /** What a branch's wrapping adds to its JSON. */
  readonly jsonLength: (index: number) => number
  /** A branch's value as readers see it: wrapped where it could be taken for another's. */
  readonly present: (index: number, value: JsonValue) => JsonValue
  /** The shapes, as JSON Schemas, of what `present` makes of a branch's values, by the shape of those. */
  readonly shapes: (index: number, bare: JsonObject) => readonly JsonObject[]
  /** The branch that JSON is meant for, with the branch's value. */
  readonly choose: (value: JsonValue) => Choice | undefined
  /** The same for a schema's defaults, where no value is wrapped: the first branch of its kind. */
  readonly chooseBare: (value: JsonValue) => Choice | undefined
}
export type Choice = { readonly index: number; readonly value: JsonValue; readonly wrapped: boolean }

/** Tells a union's branches apart in JSON. */
export function branchesOf({ branches }: AvroUnion): Branches {
  const names = branches.map(branchName)
  const kinds = branches.map(kindOf)
  const index = new Map(names.map((name, position) => [name, position]))
  const alone = (kind: JsonKind) => kinds.filter((other) => other === kind).length === 1
  const plain = kinds.map(alone)
  const hasStrings = kinds.includes('string')
  const wrappedIn = (value: JsonValue) => {
    const [key, ...others] = isJsonObject(value) ? Object.keys(value) : []
    const found = key === undefined || others.length > 0 ? undefined : index.get(key)
    return found === undefined || kinds[found] === 'null' ? undefined : found
  }
  const present = (position: number, value: JsonValue): JsonValue => {
    const kind = kinds[position]
    if (kind === 'null') return value
    // Numbers without an exact JSON number are strings, and a map may have the name of a branch as its only key.
    const mistakable = kind === 'number' ? hasStrings && typeof value === 'string' : wrappedIn(value) !== undefined
    return plain[position] && !mistakable ? value : { [names[position] ?? '']: value }
  }
  const shapes = (position: number, bare: JsonObject): readonly JsonObject[] => {
    const branch = branches[position]
    if (branch?.kind === 'null') return [bare]
    const wrapped = wrapperShape(names[position] ?? '', bare)
    if (!plain[position]) return [wrapped]
    if (hasStrings && branch?.kind === 'long') return [{ type: 'integer' }, wrapped]
    if (hasStrings && (branch?.kind === 'float' || branch?.kind === 'double')) return [{ type: 'number' }, wrapped]
    if (branch?.kind === 'map') return [bare, wrapped]
    const fields = branch?.kind === 'record' ? branch.fields : []
    return [wrappedIn(Object.fromEntries(fields.map(({ name }) => [name, null]))) === undefined ? bare : wrapped]
  }
  const choose = (value: JsonValue): Choice | undefined => {
    const position = wrappedIn(value)
    if (position !== undefined && isJsonObject(value)) {
      return { index: position, value: value[names[position] ?? ''] ?? null, wrapped: true }
    }
    const found = kinds.indexOf(kindOfValue(value, hasStrings))
    return plain[found] ? { index: found, value, wrapped: false } : undefined
  }
  const chooseBare = (value: JsonValue): Choice | undefined => {
    const found = kinds.indexOf(kindOfValue(value, hasStrings))
    return found < 0 ? undefined : { index: found, value, wrapped: false }
  }
  const jsonLength = (position: number) => (plain[position] ? 0 : (names[position] ?? '').length)
  return { names, jsonLength, present, shapes, choose, chooseBare }
}

function wrapperShape(name: string, bare: JsonObject): JsonObject {
  return { type: 'object', properties: { [name]: bare }, required: [name], additionalProperties: false }
}

function kindOf(type: AvroType): JsonKind {
  switch (type.kind) {
    case 'null':
    case 'boolean':
    case 'array':
      return type.kind
    case 'int':
    case 'long':
    case 'float':
    case 'double':
      return 'number'
    case 'string':
    case 'bytes':
    case 'fixed':
    case 'enum':
      return 'string'
    case 'map':
    case 'record':
      return 'object'
    case 'union':
      throw new TypeError('a union has no union as a branch')
  }
}

function kindOfValue(value: JsonValue, hasStrings: boolean): JsonKind {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'array'
  switch (typeof value) {
    case 'boolean':
      return 'boolean'
    case 'number':
      return 'number'
    case 'string':
      return hasStrings ? 'string' : 'number'
    default:
      return exactDigits(value) === undefined ? 'object' : 'number'
  }
}
