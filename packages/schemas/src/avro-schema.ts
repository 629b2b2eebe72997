/**
 * Avro schemas as this platform admits them: every name resolved, every size bounded, no datum without an end. What reads, writes and
 * resolves relies on it.
 */
import { MillraceError } from '@millrace/core/errors'
import { isJsonObject, isJsonValue, type JsonObject, type JsonValue } from '@millrace/core/json'
import { aliasesOf, fullNameOf, type Scope, symbolsOf } from './avro-names.ts'
import type { SchemaSource } from './codec.ts'

export type AvroField = {
  readonly name: string
  readonly aliases: readonly string[]
  readonly type: AvroType
  /** As the schema has it: a union's is bare. `undefined`: the field has none. */
  readonly default: JsonValue | undefined
  readonly doc: string | undefined
}

/** A field's default in Avro's binary encoding, or `undefined` where it has none. */
export type Defaults = (field: AvroField) => Buffer | undefined
export type AvroPrimitive = { readonly kind: (typeof primitives)[number] }
export type AvroArray = { readonly kind: 'array'; readonly items: AvroType }
export type AvroMap = { readonly kind: 'map'; readonly values: AvroType }
export type AvroUnion = { readonly kind: 'union'; readonly branches: readonly AvroType[] }
type Named = { readonly name: string; readonly aliases: readonly string[] }
export type AvroFixed = Named & { readonly kind: 'fixed'; readonly size: number }
export type AvroEnum = Named & {
  readonly kind: 'enum'
  readonly symbols: readonly string[]
  readonly default: string | undefined
}
export type AvroRecord = Named & { readonly kind: 'record'; readonly fields: readonly AvroField[] }
export type AvroNamed = AvroFixed | AvroEnum | AvroRecord
export type AvroType = AvroPrimitive | AvroArray | AvroMap | AvroUnion | AvroNamed

export type AvroSchema = {
  readonly type: AvroType
  readonly records: readonly AvroRecord[]
  /** How long the schema is as text, with all that it refers to. */
  readonly textLength: number
}

const primitives = ['null', 'boolean', 'int', 'long', 'float', 'double', 'string', 'bytes'] as const
const schemaTextLengthMax = 256 * 1024
const referencedTextLengthMax = 1024 * 1024
const namedTypesMax = 1_000
const schemaNestingMax = 64
const fixedSizeMax = 64 * 1024

/** What one schema and all that it refers to have in common while they are parsed. */
type Parsing = {
  readonly named: Map<string, AvroNamed>
  readonly pending: JsonValue[]
}
type Place = { readonly namespace: string; readonly nesting: number }
const outermost: Place = { namespace: '', nesting: 0 }

/**
 * Parses an Avro schema with the named types that it refers to.
 * @throws MillraceError 'registry.refused' with a sentence that says what to change
 * @see https://avro.apache.org/docs/1.12.0/specification/#schema-declaration
 */
export function parseAvroSchema({ schema, references }: SchemaSource): AvroSchema {
  const texts = [...new Set(references.map((reference) => reference.schema))]
  const main = typeof schema === 'string' ? schema : textOf(schema)
  requireLength('the schema', main.length, schemaTextLengthMax)
  const textLength = texts.reduce((sum, text) => sum + text.length, main.length)
  requireLength('the schema with its references', textLength, referencedTextLengthMax)
  const parsing: Parsing = { named: new Map(), pending: texts.map(parsedText) }
  const type = parseType(parsedText(main), outermost, parsing)
  while (parsing.pending.length > 0) parseNextReference(parsing)
  const records = [...parsing.named.values()].filter((named) => named.kind === 'record')
  requireEnd(records)
  return { type, records, textLength }
}

/** @throws MillraceError always: one sentence for whoever wrote the schema. */
export function refuse(detail: string): never {
  throw new MillraceError('registry.refused', `this Avro schema cannot be used: ${detail}`)
}

function requireLength(what: string, length: number, lengthMax: number): void {
  if (length > lengthMax) refuse(`${what} is ${length} characters long, at most ${lengthMax} are allowed`)
}

function textOf(schema: JsonObject): string {
  try {
    return JSON.stringify(schema)
  } catch {
    return refuse('it is nested too deeply')
  }
}

function parsedText(text: string): JsonValue {
  try {
    const value: unknown = JSON.parse(text)
    if (isJsonValue(value)) return value
  } catch {
    // Refused below.
  }
  return refuse('it is not JSON (a primitive alone is written with quotes, as in "\\"string\\"")')
}

function parseNextReference(parsing: Parsing): void {
  const next = parsing.pending.pop()
  if (next !== undefined) parseType(next, outermost, parsing)
}

function parseType(schema: JsonValue | undefined, place: Place, parsing: Parsing): AvroType {
  if (place.nesting > schemaNestingMax) refuse(`it is nested deeper than ${schemaNestingMax} levels: name inner types`)
  const inner = { ...place, nesting: place.nesting + 1 }
  if (typeof schema === 'string') return namedType(schema, place, parsing)
  if (Array.isArray(schema)) return parseUnion(schema, inner, parsing)
  if (!isJsonObject(schema)) return refuse(`${shown(schema)} is not a type: it is a name, an object or a list of types`)
  switch (schema['type']) {
    case 'array':
      return { kind: 'array', items: parseType(schema['items'], inner, parsing) }
    case 'map':
      return { kind: 'map', values: parseType(schema['values'], inner, parsing) }
    case 'fixed':
      return parseFixed(schema, place, parsing)
    case 'enum':
      return parseEnum(schema, place, parsing)
    case 'record':
    case 'error':
      return parseRecord(schema, inner, parsing)
    default:
      // Also where a logical type stands: what is stored is its underlying type.
      return parseType(schema['type'], inner, parsing)
  }
}

function namedType(name: string, { namespace }: Place, parsing: Parsing): AvroType {
  const primitive = primitives.find((kind) => kind === name)
  if (primitive) return { kind: primitive }
  const qualified = namespace === '' || name.includes('.') ? name : `${namespace}.${name}`
  for (;;) {
    const named = parsing.named.get(qualified) ?? parsing.named.get(name)
    if (named) return named
    // References may come in any order, so that one may need another which was not parsed yet.
    if (parsing.pending.length === 0)
      refuse(`the type ${shown(qualified)} is nowhere defined: define it or refer to it`)
    parseNextReference(parsing)
  }
}

function parseUnion(schemas: readonly JsonValue[], place: Place, parsing: Parsing): AvroUnion {
  const branches = schemas.map((schema) => parseType(schema, place, parsing))
  if (branches.length === 0) refuse('a union has no types: give it at least one')
  const names = new Set<string>()
  for (const branch of branches) {
    if (branch.kind === 'union') refuse('a union stands directly in a union: merge them')
    const name = branchName(branch)
    if (names.has(name)) refuse(`a union has ${name} twice: take one away, or give the types names`)
    names.add(name)
  }
  return { kind: 'union', branches }
}

/** How a union's branch is called in JSON: a named type by its full name. */
export function branchName(type: AvroType): string {
  return 'name' in type ? type.name : type.kind
}

function define<T extends AvroNamed>(type: T, { named }: Parsing): T {
  if (named.has(type.name)) refuse(`the type ${type.name} is defined twice: define it once and refer to it by its name`)
  if (named.size >= namedTypesMax) refuse(`it has more than ${namedTypesMax} named types`)
  named.set(type.name, type)
  return type
}

function parseFixed(schema: JsonObject, { namespace }: Place, parsing: Parsing): AvroFixed {
  const { size } = schema
  const scope = scopeOf(schema, namespace)
  if (typeof size !== 'number' || !Number.isInteger(size) || size < 0 || size > fixedSizeMax) {
    return refuse(`the size of the fixed ${scope.name} must be an integer between 0 and ${fixedSizeMax}`)
  }
  return define({ kind: 'fixed', ...scope.named, size }, parsing)
}

function parseEnum(schema: JsonObject, { namespace }: Place, parsing: Parsing): AvroEnum {
  const scope = scopeOf(schema, namespace)
  const symbols = symbolsOf(scope.name, schema['symbols'])
  const fallback = schema['default']
  const known = symbols.find((symbol) => symbol === fallback)
  if (fallback !== undefined && known === undefined) {
    refuse(`the default of the enum ${scope.name} is none of its symbols: add it to them or take another`)
  }
  return define({ kind: 'enum', ...scope.named, symbols, default: known }, parsing)
}

function parseRecord(schema: JsonObject, { namespace, nesting }: Place, parsing: Parsing): AvroRecord {
  const scope = scopeOf(schema, namespace)
  const fields: AvroField[] = []
  // Defined before its fields are known, since they may refer to it.
  const record = define({ kind: 'record', ...scope.named, fields }, parsing)
  const { fields: schemas } = schema
  if (!Array.isArray(schemas)) return refuse(`the record ${scope.name} has no list of "fields"`)
  const names = new Set<string>()
  for (const field of schemas) {
    const parsed = parseField(scope.name, field, { namespace: scope.namespace, nesting }, parsing)
    if (names.has(parsed.name)) refuse(`the record ${scope.name} has the field ${parsed.name} twice: rename one`)
    names.add(parsed.name)
    fields.push(parsed)
  }
  return record
}

function parseField(record: string, schema: unknown, place: Place, parsing: Parsing): AvroField {
  if (!isJsonObject(schema)) return refuse(`a field of the record ${record} is not an object with "name" and "type"`)
  const { name } = fullNameOf(`a field of ${record}`, schema['name'], undefined, 'plain')
  const { doc } = schema
  return {
    name,
    aliases: aliasesOf(name, schema['aliases'], ''),
    type: parseType(schema['type'], place, parsing),
    default: schema['default'],
    doc: typeof doc === 'string' ? doc : undefined,
  }
}

function scopeOf(schema: JsonObject, enclosing: string): Scope & { readonly named: Named } {
  const namespace = schema['namespace'] ?? enclosing
  const scope = fullNameOf('a named type', schema['name'], namespace, 'qualified')
  return { ...scope, named: { name: scope.name, aliases: aliasesOf(scope.name, schema['aliases'], scope.namespace) } }
}

/** Refuses a record that contains itself with no union, array or map between, since its data would have no end. */
function requireEnd(records: readonly AvroRecord[]): void {
  const ending = new Set<AvroType>()
  const ends = (type: AvroType): boolean => {
    if (type.kind === 'record') return ending.has(type)
    return type.kind !== 'union' || type.branches.some(ends)
  }
  let open = records
  for (;;) {
    const left = open.filter((record) => {
      if (!record.fields.every((field) => ends(field.type))) return true
      ending.add(record)
      return false
    })
    if (left.length === 0) return
    if (left.length === open.length) {
      refuse(`the record ${left[0]?.name ?? ''} contains itself without end: put a union with null between`)
    }
    open = left
  }
}

function shown(value: JsonValue | undefined): string {
  return value === undefined ? 'nothing' : JSON.stringify(value).slice(0, 100)
}
