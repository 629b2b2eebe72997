/** The shapes of event types' data within a document: those refer to themselves and to their definitions alone. */
import { isJsonObject, type JsonObject, type JsonPointer } from '@millrace/core/json'
import { withSubschemas } from '@millrace/schemas/subschemas'

/** A shape for a place within another document. */
export function relocated(shape: JsonObject, place: JsonPointer): JsonObject {
  return referring(shape, (reference) => `#${place}${reference.slice(1)}`)
}

/**
 * A shape as components of a document under a name: its definitions become components too, since programs that make types of a document
 * take no reference into one of them. No event type has two dots in a row, so that such a name is nobody else's.
 */
export function components(name: string, { definitions, ...shape }: JsonObject): [string, JsonObject][] {
  const place = (reference: string) =>
    reference.replace(/^#/, `#/components/schemas/${name}`).replace('/definitions/', '..')
  const parts = Object.entries(isJsonObject(definitions) ? definitions : {}).map(
    ([key, part]): [string, JsonObject] => [`${name}..${key}`, isJsonObject(part) ? referring(part, place) : {}],
  )
  return [[name, referring(shape, place)], ...parts]
}

/** A schema with other references in the place of its own. */
function referring(schema: JsonObject, place: (reference: string) => string): JsonObject {
  const { $ref } = schema
  const parts = withSubschemas(schema, (part) => referring(part, place))
  return typeof $ref === 'string' ? { ...parts, $ref: place($ref) } : parts
}
