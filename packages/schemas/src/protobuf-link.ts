/** Makes of a parsed `.proto` file the descriptors by which payloads are read and written. */
import {
  Enum,
  Field as ParsedField,
  MapField,
  Namespace,
  type NamespaceBase,
  type ReflectionObject,
  Type,
} from 'protobufjs'
import type { JsonValue } from '@millrace/core/json'
import type { Field, MessageType, Scalar } from './protobuf-descriptor.ts'
import { type ProtobufFile, refused } from './protobuf-file.ts'
import { enumScalar, mapKey, nullValue, scalarNamed } from './protobuf-scalar.ts'
import { wellKnownNamed } from './protobuf-well-known.ts'

export type ProtobufSchema = {
  /** The message that these indexes lead to, from the outermost in. Maps' entries do not count as messages. */
  readonly byIndexes: (indexes: readonly number[]) => MessageType | undefined
  readonly byName: ReadonlyMap<string, MessageType>
}

const numberMax = 2 ** 29 - 1
const reservedMin = 19_000
const reservedMax = 19_999
const emptyList: readonly JsonValue[] = Object.freeze([])
const emptyMap = Object.freeze({})

/** @throws MillraceError 'registry.refused' when it is no proto3, or nobody could tell its fields apart */
export function linkProtobuf({ root, scope, ownCount }: ProtobufFile): ProtobufSchema {
  const linker: Linker = { messages: new Map(), enums: new Map() }
  const own = scope.nestedArray.slice(0, ownCount).filter((object) => object instanceof Type)
  if (own.length === 0) throw refused('it has no message')
  for (const object of within(root)) {
    if (object instanceof Type) messageOf(linker, object)
    else if (object instanceof Enum) enumOf(linker, object)
    else if (object instanceof ParsedField) throw refused(`${nameOf(object)} extends another message`)
  }
  const byIndexes = (indexes: readonly number[]) => {
    const [first, ...rest] = indexes
    const outermost = first === undefined ? undefined : own[first]
    const type = rest.reduce<Type | undefined>((outer, index) => outer && nestedTypes(outer)[index], outermost)
    return type && linker.messages.get(type)
  }
  return { byIndexes, byName: new Map([...linker.messages.values()].map((message) => [message.name, message])) }
}

/** Messages that refer to each other: each is there, by its parsed type, before its fields are. */
type Linker = { readonly messages: Map<Type, Filling>; readonly enums: Map<Enum, Scalar> }

/** A message that is being filled. */
type Filling = { -readonly [K in keyof MessageType]: MessageType[K] }

function nestedTypes(type: Type): Type[] {
  return type.nestedArray.filter((object) => object instanceof Type)
}

function* within(scope: NamespaceBase): Generator<ReflectionObject> {
  for (const object of scope.nestedArray) {
    yield object
    if (object instanceof Namespace || object instanceof Type) yield* within(object)
  }
}

function nameOf(object: ReflectionObject): string {
  return object.fullName.replace(/^\./, '')
}

function messageOf(linker: Linker, type: Type): MessageType {
  const found = linker.messages.get(type)
  if (found) return found
  const name = nameOf(type)
  if (Array.isArray(type.extensions)) throw refused(`${name} has extensions, which proto3 does not know`)
  const filling: Filling = {
    kind: 'message',
    name,
    fields: [],
    byNumber: new Map(),
    byName: new Map(),
    defaults: {},
    defaultsCount: 0,
    wellKnown: wellKnownNamed(name),
  }
  linker.messages.set(type, filling)
  const numbers = type.fieldsArray.map(({ id }) => id).sort((one, other) => one - other)
  const places = new Map(numbers.map((number, place) => [number, place]))
  const fields = type.fieldsArray.map((field) => fieldOf(linker, field, places.get(field.id) ?? 0))
  return Object.assign(filling, indexed(name, fields))
}

function indexed(name: string, fields: readonly Field[]): Partial<MessageType> {
  const defaults = fields.flatMap((field) => {
    const shown = defaultOf(field)
    return shown === undefined ? [] : [[field.jsonName, shown] as const]
  })
  return {
    fields: fields.toSorted((one, other) => one.place - other.place),
    byNumber: new Map(fields.map((field) => [field.number, field])),
    byName: namesOf(name, fields),
    defaults: Object.fromEntries(defaults),
    defaultsCount: defaults.length,
  }
}

/** What readers see of a field that is absent: whatever cannot be told from absent. */
function defaultOf({ shape, type, presence }: Field): JsonValue | undefined {
  if (shape === 'repeated') return emptyList
  if (shape === 'map') return emptyMap
  return presence || type.kind === 'message' ? undefined : type.zero
}

function namesOf(message: string, fields: readonly Field[]): Map<string, Field> {
  const names = new Map<string, Field>()
  for (const field of fields) {
    for (const name of new Set([field.jsonName, field.name])) {
      const other = names.get(name)
      if (other)
        throw refused(
          `${message} has two fields that JSON knows as ${JSON.stringify(name)}: ${other.name} and ${field.name}`,
        )
      names.set(name, field)
    }
  }
  return names
}

function fieldOf(linker: Linker, parsed: ParsedField, place: number): Field {
  const name = nameOf(parsed)
  if (parsed.extend !== undefined || parsed.declaringField) throw refused(`${name} extends another message`)
  if (parsed.delimited) throw refused(`${name} is a group, which proto3 does not know`)
  if (parsed.rule === 'required') throw refused(`${name} is required, which proto3 does not know`)
  refuseNumber(name, parsed.id)
  const key = parsed instanceof MapField ? mapKey(parsed.keyType) : undefined
  return {
    name: parsed.name,
    jsonName: jsonNameOf(name, parsed.jsonName),
    number: parsed.id,
    place,
    type: typeOf(linker, name, parsed),
    shape: key ? 'map' : parsed.repeated ? 'repeated' : 'singular',
    key,
    presence: parsed.partOf !== null,
    oneof: parsed.partOf?.name,
    nullable: ['google.protobuf.Value', 'google.protobuf.NullValue'].includes(typeNameOf(parsed)),
  }
}

function refuseNumber(name: string, number: number): void {
  if (!(number >= 1 && number <= numberMax))
    throw refused(`${name} has the number ${number}: 1 to ${numberMax} are there`)
  if (number >= reservedMin && number <= reservedMax) {
    throw refused(`${name} has the number ${number}: ${reservedMin} to ${reservedMax} are Protobuf's own`)
  }
}

function jsonNameOf(name: string, jsonName: unknown): string {
  const sound = typeof jsonName === 'string' && /^[^\p{C}[\]]{1,255}$/u.test(jsonName) && jsonName !== '__proto__'
  if (!sound) throw refused(`${name} has a json_name that is no name`)
  return jsonName
}

function typeNameOf({ resolvedType }: ParsedField): string {
  return resolvedType ? nameOf(resolvedType) : ''
}

function typeOf(linker: Linker, name: string, { type, resolvedType }: ParsedField): Scalar | MessageType {
  if (resolvedType instanceof Type) return messageOf(linker, resolvedType)
  if (resolvedType instanceof Enum) return enumOf(linker, resolvedType)
  const scalar = scalarNamed(type)
  if (!scalar) throw refused(`${name} has a type that does not exist, ${type}`)
  return scalar
}

function enumOf(linker: Linker, parsed: Enum): Scalar {
  const found = linker.enums.get(parsed)
  if (found) return found
  const name = nameOf(parsed)
  const values = Object.keys(parsed.values).map((value) => [value, parsed.values[value] ?? NaN] as const)
  const beyond = values.find(([, number]) => number !== (number | 0))
  if (beyond) throw refused(`${name}.${beyond[0]} is not within 32 bits`)
  if (values[0]?.[1] !== 0) throw refused(`${name} must have a first value that is 0`)
  const scalar = name === 'google.protobuf.NullValue' ? nullValue : enumScalar(values)
  linker.enums.set(parsed, scalar)
  return scalar
}
