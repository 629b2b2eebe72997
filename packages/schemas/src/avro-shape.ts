import { isJsonObject, type JsonObject, type JsonValue } from '@millrace/core/json'

type Definitions = Record<string, JsonObject>

const primitives: Readonly<Record<string, JsonObject>> = {
  null: { type: 'null' },
  boolean: { type: 'boolean' },
  int: { type: 'integer' },
  // Beyond 2^53 an integer is shown by its digits, and what is not finite by its name.
  long: { type: ['integer', 'string'] },
  float: { type: ['number', 'string'] },
  double: { type: ['number', 'string'] },
  bytes: { type: 'string' },
  string: { type: 'string' },
}

/** The JSON of an Avro type's data, as readers of the API see it, as a JSON Schema. `references` are types that it names. */
export function avroShape(schema: JsonValue, references: readonly JsonValue[] = []): JsonObject {
  const definitions: Definitions = {}
  for (const reference of references) shapeOf(reference, '', definitions)
  const root = shapeOf(schema, '', definitions)
  return { ...root, definitions }
}

function shapeOf(schema: JsonValue | undefined, namespace: string, definitions: Definitions): JsonObject {
  if (typeof schema === 'string') return primitives[schema] ?? referenceTo(fullName(schema, namespace))
  if (Array.isArray(schema)) {
    return { anyOf: schema.map((branch: JsonValue) => shapeOf(branch, namespace, definitions)) }
  }
  if (!isJsonObject(schema)) return {}
  switch (schema['type']) {
    case 'array':
      return { type: 'array', items: shapeOf(schema['items'], namespace, definitions) }
    case 'map':
      return { type: 'object', additionalProperties: shapeOf(schema['values'], namespace, definitions) }
    case 'record':
    case 'enum':
    case 'fixed':
      return define(schema, namespace, definitions)
    default:
      return shapeOf(schema['type'], namespace, definitions)
  }
}

function define(schema: JsonObject, outer: string, definitions: Definitions): JsonObject {
  const namespace = textOf(schema['namespace']) ?? outer
  const name = fullName(textOf(schema['name']) ?? '', namespace)
  if (schema['type'] === 'enum') definitions[name] = { enum: schema['symbols'] ?? [] }
  else if (schema['type'] === 'fixed') definitions[name] = fixedShape(schema['size'])
  else definitions[name] = recordShape(schema, namespace, definitions)
  return referenceTo(name)
}

function recordShape(schema: JsonObject, namespace: string, definitions: Definitions): JsonObject {
  const fields = Array.isArray(schema['fields']) ? schema['fields'].filter(isJsonObject) : []
  const names = fields.map((field) => textOf(field['name']) ?? '')
  const shapes = fields.map((field) =>
    describedBy(textOf(field['doc']), shapeOf(field['type'], namespace, definitions)),
  )
  return {
    type: 'object',
    properties: Object.fromEntries(names.map((name, index) => [name, shapes[index] ?? {}])),
    required: names,
    additionalProperties: false,
  }
}

/** Bytes are shown as so many characters. */
function fixedShape(size: JsonValue | undefined): JsonObject {
  return { type: 'string', ...(typeof size === 'number' && { minLength: size, maxLength: size }) }
}

/** What stands beside a reference is not read by all: there the name must do. */
function describedBy(description: string | undefined, shape: JsonObject): JsonObject {
  return description === undefined || '$ref' in shape ? shape : { ...shape, description }
}

function fullName(name: string, namespace: string): string {
  return name.includes('.') || namespace === '' ? name : `${namespace}.${name}`
}

function referenceTo(name: string): JsonObject {
  return { $ref: `#/definitions/${name}` }
}

function textOf(value: JsonValue | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined
}
