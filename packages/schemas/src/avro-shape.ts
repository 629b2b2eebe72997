import type { JsonObject } from '@millrace/core/json'
import { type AvroNamed, type AvroRecord, type AvroType, type AvroUnion, parseAvroSchema } from './avro-schema.ts'
import { branchesOf } from './avro-union.ts'
import type { SchemaSource } from './codec.ts'
import { digits, int32, real } from './number-shapes.ts'

type Definitions = Map<string, JsonObject>

/** A character for each byte. */
const bytes: JsonObject = { type: 'string', pattern: '^[\\u0000-\\u00ff]*$' }

/**
 * The JSON of an Avro type's data, as readers of the API see it and may send it again, as a JSON Schema.
 * @throws MillraceError 'registry.refused' when it is not an Avro schema
 */
export function avroShape(source: SchemaSource): JsonObject {
  const definitions: Definitions = new Map()
  const root = shapeOf(parseAvroSchema(source).type, definitions)
  return { ...root, definitions: Object.fromEntries(definitions) }
}

function shapeOf(type: AvroType, definitions: Definitions): JsonObject {
  switch (type.kind) {
    case 'null':
    case 'boolean':
    case 'string':
      return { type: type.kind }
    case 'int':
      return int32
    case 'long':
      // Beyond 2^53 an integer is shown by its digits.
      return { anyOf: [{ type: 'integer' }, digits] }
    case 'float':
    case 'double':
      return real
    case 'bytes':
      return bytes
    case 'array':
      return { type: 'array', items: shapeOf(type.items, definitions) }
    case 'map':
      return { type: 'object', additionalProperties: shapeOf(type.values, definitions) }
    case 'union':
      return unionShape(type, definitions)
    case 'record':
    case 'enum':
    case 'fixed':
      return define(type, definitions)
  }
}

function unionShape(type: AvroUnion, definitions: Definitions): JsonObject {
  const { shapes } = branchesOf(type)
  return { anyOf: type.branches.flatMap((branch, index) => shapes(index, shapeOf(branch, definitions))) }
}

function define(type: AvroNamed, definitions: Definitions): JsonObject {
  if (!definitions.has(type.name)) {
    definitions.set(type.name, {}) // it may hold itself
    definitions.set(type.name, definitionOf(type, definitions))
  }
  return { $ref: `#/definitions/${type.name}` }
}

function definitionOf(type: AvroNamed, definitions: Definitions): JsonObject {
  switch (type.kind) {
    case 'enum':
      return { enum: type.symbols }
    case 'fixed':
      return { ...bytes, minLength: type.size, maxLength: type.size }
    case 'record':
      return recordShape(type, definitions)
  }
}

function recordShape({ fields }: AvroRecord, definitions: Definitions): JsonObject {
  const properties = fields.map(({ name, type, doc }): [string, JsonObject] => [
    name,
    describedBy(doc, shapeOf(type, definitions)),
  ])
  const required = fields.map(({ name }) => name)
  return { type: 'object', properties: Object.fromEntries(properties), required, additionalProperties: false }
}

/** What stands beside a reference is not read by all: there the name must do. */
function describedBy(description: string | undefined, shape: JsonObject): JsonObject {
  return description === undefined || '$ref' in shape ? shape : { ...shape, description }
}
