import { isJsonArray, isJsonObject, type JsonObject, type JsonPointer, type JsonValue } from '@millrace/core/json'

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

const keywords = ['definitions', '$defs'] as const
const namePattern = /^[\w.-]+$/

/**
 * A schema as components of a document under a name: what it defines for itself becomes components too, since programs that make types of a
 * document take no reference into one of them. No event type has an underscore, so that such a name is nobody else's.
 */
export function components(name: string, schema: JsonObject): [string, JsonObject][] {
  const parts = keywords.flatMap((keyword) => {
    const definitions = schema[keyword]
    return Object.entries(isJsonObject(definitions) ? definitions : {})
      .filter(([key, value]) => namePattern.test(key) && isJsonObject(value))
      .map(([key, value]) => ({ from: `#/components/schemas/${name}/${keyword}/${key}`, to: `${name}_${key}`, value }))
  })
  const moves = new Map(parts.map(({ from, to }) => [from, `#/components/schemas/${to}`]))
  const placed = (value: JsonObject) => renamed(relocated(value, `/components/schemas/${name}`), moves)
  const rest = Object.fromEntries(Object.entries(schema).filter(([key]) => !isEmptied(key, schema[key])))
  return [
    [name, placed(rest)],
    ...parts.flatMap(({ to, value }): [string, JsonObject][] => (isJsonObject(value) ? [[to, placed(value)]] : [])),
  ]
}

/** Whether all that is defined there has a place of its own. */
function isEmptied(keyword: string, value: JsonValue | undefined): boolean {
  if (keyword !== 'definitions' && keyword !== '$defs') return false
  return isJsonObject(value) && Object.entries(value).every(([key, one]) => namePattern.test(key) && isJsonObject(one))
}

/** References to something, or into it, as references to its new place. */
function renamed(schema: JsonObject, moves: ReadonlyMap<string, string>): JsonObject {
  return Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, renamedIn(key, value, moves)]))
}

function renamedIn(key: string, value: JsonValue, moves: ReadonlyMap<string, string>): JsonValue {
  if (key === '$ref' && typeof value === 'string') {
    const [, whole = '', rest = ''] = /^(#\/components\/schemas\/[^/]+\/[^/]+\/[^/]+)(.*)$/s.exec(value) ?? []
    const to = moves.get(whole)
    return to === undefined ? value : `${to}${rest}`
  }
  if (isJsonArray(value)) return value.map((item) => renamedIn('', item, moves))
  return isJsonObject(value) ? renamed(value, moves) : value
}
