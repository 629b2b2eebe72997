import { schemaText } from '@millrace/core/event-type'
import type { JsonObject } from '@millrace/core/json'
import type { SchemaSource } from './codec.ts'
import type { Field, MessageType, Scalar } from './protobuf-descriptor.ts'
import { parseProtobuf, refused } from './protobuf-file.ts'
import { linkProtobuf } from './protobuf-link.ts'

type Definitions = Map<string, JsonObject>

/**
 * The ProtoJSON of a file's first message, as readers of the API see it and may send it again, as a JSON Schema. Fields of which a message
 * has at most one are listed in its `x-oneofs`.
 * @throws MillraceError 'registry.refused' when the file is none
 */
export function protobufShape({ schema, references }: SchemaSource): JsonObject {
  const first = linkProtobuf(parseProtobuf(schemaText(schema), references)).byIndexes([0])
  if (!first) throw refused('it has no message')
  const definitions: Definitions = new Map()
  const root = typeShape(first, definitions)
  return { ...root, definitions: Object.fromEntries(definitions) }
}

function typeShape(type: Scalar | MessageType, definitions: Definitions): JsonObject {
  if (type.kind === 'scalar') return type.shape
  if (type.wellKnown) return type.wellKnown.shape
  if (!definitions.has(type.name)) {
    definitions.set(type.name, {}) // it may hold itself
    definitions.set(type.name, messageShape(type, definitions))
  }
  return { $ref: `#/definitions/${type.name}` }
}

function messageShape({ fields }: MessageType, definitions: Definitions): JsonObject {
  const properties = fields.map((field): [string, JsonObject] => [field.jsonName, fieldShape(field, definitions)])
  const oneofs = Map.groupBy(fields, ({ oneof }) => oneof)
  oneofs.delete(undefined)
  const choices = [...oneofs.values()].filter(({ length }) => length > 1)
  return {
    type: 'object',
    properties: Object.fromEntries(properties),
    additionalProperties: false,
    ...(choices.length > 0 && { 'x-oneofs': choices.map((choice) => choice.map(({ jsonName }) => jsonName)) }),
  }
}

function fieldShape({ type, shape, key }: Field, definitions: Definitions): JsonObject {
  const one = typeShape(type, definitions)
  if (key) return { type: 'object', propertyNames: key.names, additionalProperties: one }
  return shape === 'repeated' ? { type: 'array', items: one } : one
}
