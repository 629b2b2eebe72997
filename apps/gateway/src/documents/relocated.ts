import { isJsonObject, type JsonObject, type JsonPointer, type JsonValue } from '@millrace/core/json'

/** A JSON Schema for a place within another document: what it refers to within itself it finds there. */
export function relocated(schema: JsonObject, place: JsonPointer): JsonObject {
  // With an identity of its own its references would not be the document's.
  const members = Object.entries(schema).filter(([name]) => name !== '$id')
  return Object.fromEntries(members.map(([name, value]) => [name, moved(name, value, place)]))
}

function moved(name: string, value: JsonValue, place: JsonPointer): JsonValue {
  if (name === '$ref' && typeof value === 'string' && /^#(\/|$)/.test(value)) return `#${place}${value.slice(1)}`
  if (Array.isArray(value)) return value.map((item: JsonValue) => moved('', item, place))
  if (!isJsonObject(value)) return value
  return Object.fromEntries(Object.entries(value).map(([key, child]) => [key, moved(key, child, place)]))
}
