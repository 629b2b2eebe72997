import { isJsonArray, isJsonObject, type JsonObject, type JsonValue } from '@millrace/core/json'

/** Keywords whose value is a schema, or a list of them. */
const places = new Set([
  ...['items', 'prefixItems', 'additionalItems', 'unevaluatedItems', 'contains', 'contentSchema'],
  ...['additionalProperties', 'unevaluatedProperties', 'propertyNames'],
  ...['allOf', 'anyOf', 'oneOf', 'not', 'if', 'then', 'else'],
])
/** Keywords whose value has schemas by names. */
const mapsOfPlaces = new Set([
  ...['properties', 'patternProperties', 'dependentSchemas', 'dependencies', 'definitions', '$defs'],
])

/** A JSON Schema with what `change` makes of each schema directly within it; what is data, as in `const` and `examples`, stays. */
export function withSubschemas(schema: JsonObject, change: (subschema: JsonObject) => JsonObject): JsonObject {
  const changed = (value: JsonValue): JsonValue => {
    if (isJsonArray(value)) return value.map(changed)
    return isJsonObject(value) ? change(value) : value
  }
  return mapped(schema, (value, keyword) => {
    if (mapsOfPlaces.has(keyword) && isJsonObject(value)) return mapped(value, changed)
    return places.has(keyword) ? changed(value) : value
  })
}

function mapped(object: JsonObject, change: (value: JsonValue, name: string) => JsonValue): JsonObject {
  return Object.fromEntries(Object.entries(object).map(([name, value]) => [name, change(value, name)]))
}
