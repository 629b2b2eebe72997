import type { JsonObject } from '@millrace/core/json'
import { Enum, type Field, Type } from 'protobufjs'
import { parseProtobuf, refused } from './protobuf-file.ts'

const text: JsonObject = { type: 'string' }
const digits: JsonObject = { type: 'string', pattern: '^-?[0-9]+$', examples: ['1'] }
const time: JsonObject = { type: 'string', format: 'date-time' }
const duration: JsonObject = { type: 'string', examples: ['1.5s'] }
const whole: JsonObject = { type: 'integer' }
const real: JsonObject = { type: ['number', 'string'] }
const scalars: Readonly<Record<string, JsonObject>> = {
  ...{ double: real, float: real, bool: { type: 'boolean' }, string: text, bytes: text },
  ...{ int32: whole, uint32: whole, sint32: whole, fixed32: whole, sfixed32: whole },
  ...{ int64: digits, uint64: digits, sint64: digits, fixed64: digits, sfixed64: digits },
}
const anything: JsonObject = {}
const wellKnown: Readonly<Record<string, JsonObject>> = {
  ...{ Timestamp: time, Duration: duration, FieldMask: text, Empty: { type: 'object' } },
  ...{ Struct: { type: 'object' }, Value: anything, ListValue: { type: 'array' }, Any: { type: 'object' } },
  ...{ DoubleValue: real, FloatValue: real, BoolValue: { type: 'boolean' }, StringValue: text, BytesValue: text },
  ...{ Int32Value: whole, UInt32Value: whole, Int64Value: digits, UInt64Value: digits },
}

/**
 * The ProtoJSON of a file's first message, as readers of the API see it, as a JSON Schema. `imports` are other files, by name. Fields of
 * which a message has at most one are listed in its `x-oneofs`.
 * @throws MillraceError 'registry.refused' when the file is none
 */
export function protobufShape(
  schema: string,
  imports: readonly { readonly name: string; readonly schema: string }[] = [],
): JsonObject {
  const { scope, ownCount } = parseProtobuf(schema, imports)
  const first = scope.nestedArray.slice(0, ownCount).find((object) => object instanceof Type)
  if (!first) throw refused('it has no message')
  const definitions: Record<string, JsonObject> = {}
  return { ...messageShape(first, definitions), definitions }
}

function messageShape(type: Type, definitions: Record<string, JsonObject>): JsonObject {
  const name = type.fullName.slice(1)
  if (!definitions[name]) {
    definitions[name] = anything // it may hold itself
    const fields = type.fieldsArray.map((field) => [jsonName(field.name), fieldShape(field, definitions)] as const)
    const oneofs = type.oneofsArray.map(({ oneof }) => oneof.map(jsonName)).filter((names) => names.length > 1)
    const properties = Object.fromEntries(fields)
    const limits = oneofs.length > 0 ? { 'x-oneofs': oneofs } : {}
    definitions[name] = { type: 'object', properties, additionalProperties: false, ...limits }
  }
  return { $ref: `#/definitions/${name}` }
}

function fieldShape(field: Field, definitions: Record<string, JsonObject>): JsonObject {
  const one = valueShape(field, definitions)
  if (field.map) return { type: 'object', additionalProperties: one }
  return field.repeated ? { type: 'array', items: one } : one
}

function valueShape(field: Field, definitions: Record<string, JsonObject>): JsonObject {
  const scalar = scalars[field.type]
  if (scalar) return scalar
  const [, known = ''] = /^\.?google\.protobuf\.(\w+)$/.exec(field.type) ?? []
  if (wellKnown[known]) return wellKnown[known]
  const type = field.parent?.lookup(field.type)
  if (type instanceof Enum) return { enum: Object.keys(type.values) }
  return type instanceof Type ? messageShape(type, definitions) : anything
}

/** lowerCamelCase, as ProtoJSON writes names. */
function jsonName(name: string): string {
  return name.replaceAll(/_([a-zA-Z0-9])/g, (_all, letter: string) => letter.toUpperCase())
}
