import type { JsonObject } from '@millrace/core/json'
import protobuf from 'protobufjs'

const text: JsonObject = { type: 'string' }
const whole: JsonObject = { type: 'integer' }
const real: JsonObject = { type: ['number', 'string'] }
const scalars: Readonly<Record<string, JsonObject>> = {
  ...{ double: real, float: real, bool: { type: 'boolean' }, string: text, bytes: text },
  ...{ int32: whole, uint32: whole, sint32: whole, fixed32: whole, sfixed32: whole },
  ...{ int64: text, uint64: text, sint64: text, fixed64: text, sfixed64: text },
}
const anything: JsonObject = {}
const wellKnown: Readonly<Record<string, JsonObject>> = {
  ...{ Timestamp: text, Duration: text, FieldMask: text, Empty: { type: 'object' } },
  ...{ Struct: { type: 'object' }, Value: anything, ListValue: { type: 'array' }, Any: { type: 'object' } },
  ...{ DoubleValue: real, FloatValue: real, BoolValue: { type: 'boolean' }, StringValue: text, BytesValue: text },
  ...{ Int32Value: whole, UInt32Value: whole, Int64Value: text, UInt64Value: text },
}

/** The ProtoJSON of a file's first message, as readers of the API see it, as a JSON Schema. `imports` are other files' texts. */
export function protobufShape(schema: string, imports: readonly string[] = []): JsonObject {
  const root = new protobuf.Root()
  for (const file of imports) protobuf.parse(file, root)
  const own = protobuf.parse(schema, new protobuf.Root())
  const name = firstMessage(own.root)?.fullName.slice(1) ?? ''
  protobuf.parse(schema, root)
  const definitions: Record<string, JsonObject> = {}
  return { ...messageShape(root.lookupType(name), definitions), definitions }
}

function firstMessage(within: protobuf.NamespaceBase): protobuf.Type | undefined {
  for (const nested of within.nestedArray) {
    if (nested instanceof protobuf.Type) return nested
    const found = nested instanceof protobuf.Namespace ? firstMessage(nested) : undefined
    if (found) return found
  }
  return undefined
}

function messageShape(type: protobuf.Type, definitions: Record<string, JsonObject>): JsonObject {
  const name = type.fullName.slice(1)
  if (!definitions[name]) {
    definitions[name] = anything // it may hold itself
    const fields = type.fieldsArray.map((field) => [jsonName(field.name), fieldShape(field, definitions)] as const)
    definitions[name] = { type: 'object', properties: Object.fromEntries(fields), additionalProperties: false }
  }
  return { $ref: `#/definitions/${name}` }
}

function fieldShape(field: protobuf.Field, definitions: Record<string, JsonObject>): JsonObject {
  const one = valueShape(field, definitions)
  if (field.map) return { type: 'object', additionalProperties: one }
  return field.repeated ? { type: 'array', items: one } : one
}

function valueShape(field: protobuf.Field, definitions: Record<string, JsonObject>): JsonObject {
  const scalar = scalars[field.type]
  if (scalar) return scalar
  const [, known = ''] = /^\.?google\.protobuf\.(\w+)$/.exec(field.type) ?? []
  if (wellKnown[known]) return wellKnown[known]
  const type = field.parent?.lookup(field.type)
  if (type instanceof protobuf.Enum) return { enum: Object.keys(type.values) }
  return type instanceof protobuf.Type ? messageShape(type, definitions) : anything
}

/** lowerCamelCase, as ProtoJSON writes names. */
function jsonName(name: string): string {
  return name.replaceAll(/_([a-zA-Z0-9])/g, (_all, letter: string) => letter.toUpperCase())
}
