/** Whether a JSON Pointer into data names something, as far as the data's schema tells. */
import { isJsonObject, type JsonObject, type JsonPointer, type JsonValue, pointerTokens } from '@millrace/core/json'
import { type AvroType, parseAvroSchema } from './avro-schema.ts'
import type { SchemaSource } from './codec.ts'
import type { MessageType } from './protobuf-descriptor.ts'
import { parseProtobuf } from './protobuf-file.ts'
import { linkProtobuf } from './protobuf-link.ts'

/** `unknown` where the schema leaves it open. */
export type Place = 'scalar' | 'compound' | 'absent' | 'unknown'

/**
 * What a pointer names in data of a schema. In a Protobuf file that is its first message, by the JSON names of its fields.
 * @throws MillraceError 'registry.refused' when it is no schema
 */
export function placeOf(source: SchemaSource, pointer: JsonPointer): Place {
  const tokens = pointerTokens(pointer)
  switch (source.format) {
    case 'json':
      return isJsonObject(source.schema) ? placeInJsonSchema(source.schema, tokens) : 'unknown'
    case 'avro':
      return placeInAvro(parseAvroSchema(source).type, tokens)
    case 'protobuf': {
      const file = linkProtobuf(parseProtobuf(textOf(source), source.references))
      return placeInMessage(file.byIndexes([0]), tokens)
    }
  }
}

function textOf({ schema }: SchemaSource): string {
  return typeof schema === 'string' ? schema : ''
}

/** Keywords that may allow more than `properties` names. */
const opening = [
  '$ref',
  '$dynamicRef',
  'allOf',
  'anyOf',
  'oneOf',
  'if',
  'patternProperties',
  'dependentSchemas',
  'dependencies',
  'propertyNames',
]
const scalars = ['string', 'number', 'integer', 'boolean', 'null']

function placeInJsonSchema(schema: JsonValue | undefined, [name, ...rest]: readonly string[]): Place {
  if (!isJsonObject(schema) || opening.some((keyword) => keyword in schema)) return 'unknown'
  if (name === undefined) return kindOfJson(schema)
  if (scalars.some((type) => schema['type'] === type)) return 'absent'
  const { properties, additionalProperties: additional } = schema
  if (!isJsonObject(properties)) return schema['type'] === 'object' && additional === false ? 'absent' : 'unknown'
  if (Object.hasOwn(properties, name)) return placeInJsonSchema(properties[name], rest)
  // A schema that names its properties and says nothing of others is most often a schema whose author forgot to.
  return additional === undefined || additional === false ? 'absent' : 'unknown'
}

function kindOfJson({ type }: JsonObject): Place {
  const types: readonly JsonValue[] = Array.isArray(type) ? type : [type ?? null]
  if (type === undefined) return 'unknown'
  if (types.every((one) => one === 'object' || one === 'array' || one === 'null') && type !== 'null') return 'compound'
  return types.every((one) => scalars.some((scalar) => scalar === one)) ? 'scalar' : 'unknown'
}

function placeInAvro(type: AvroType, [name, ...rest]: readonly string[]): Place {
  // Which branch it is, and whether it is wrapped in the branch's name, is the data's to say.
  if (type.kind === 'union') return 'unknown'
  if (name === undefined) return ['record', 'array', 'map'].includes(type.kind) ? 'compound' : 'scalar'
  if (type.kind === 'map' || type.kind === 'array') return 'unknown'
  if (type.kind !== 'record') return 'absent'
  const field = type.fields.find((one) => one.name === name)
  return field ? placeInAvro(field.type, rest) : 'absent'
}

function placeInMessage(message: MessageType | undefined, [name, ...rest]: readonly string[]): Place {
  // Well-known types have a JSON form of their own.
  if (!message || message.wellKnown) return 'unknown'
  if (name === undefined) return 'compound'
  const field = message.fields.find(({ jsonName }) => jsonName === name)
  if (!field) return 'absent'
  if (field.shape !== 'singular') return rest.length > 0 ? 'unknown' : 'compound'
  if (field.type.kind === 'message') return placeInMessage(field.type, rest)
  return rest.length > 0 ? 'absent' : 'scalar'
}
