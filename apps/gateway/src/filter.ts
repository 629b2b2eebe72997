import {
  isJsonObject,
  isPointer,
  type JsonObject,
  type JsonPointer,
  type JsonValue,
  valueAt,
} from '@millrace/core/json'

/** Which events of a topic a stream is for. */
export type Filter = (event: JsonObject) => boolean

type Text = string | readonly string[] | undefined
export type ParsedFilter =
  { readonly ok: true; readonly filter: Filter | undefined } | { readonly ok: false; readonly detail: string }

type Condition = {
  readonly isOfData: boolean
  readonly text: string
  readonly json: JsonValue | undefined
  readonly of: (event: JsonObject) => JsonValue | undefined
}

const conditionsMax = 16
const attributeName = /^[a-z0-9]{1,64}$/
const never = new Set(['data', 'database64'])

/**
 * Reads a filter from query parameters. All its conditions must hold:
 * - `<attribute>=<value>`, as in `type=order.placed` or `tenant=blue`: the event has the attribute with this value.
 * - `where=<pointer>:<value>`, as in `where=/customer:ada` or `where=/items/0/amount:5`, as often as needed: what the JSON Pointer
 *   (RFC 6901) names in the data is a scalar of this value. The pointer ends at the first colon; a colon in it is written `%3A`
 *   (and once more encoded in the URL: `%253A`). A value is text, or stands for the number, boolean or null that it spells.
 * @param query the parameters of the request but for those that say where to read
 */
export function parseFilter(query: Readonly<Record<string, Text>>): ParsedFilter {
  const conditions: Condition[] = []
  for (const [name, value] of Object.entries(query)) {
    if (value === undefined) continue
    const texts = typeof value === 'string' ? [value] : value
    if (name !== 'where' && texts.length > 1) return refused(`"${name}" is given twice: an event has one`)
    for (const text of texts) {
      const condition = name === 'where' ? dataCondition(text) : attributeCondition(name, text)
      if (typeof condition === 'string') return refused(condition)
      conditions.push(condition)
    }
  }
  if (conditions.length > conditionsMax) return refused(`a filter has ${conditionsMax} conditions at most`)
  if (conditions.length === 0) return { ok: true, filter: undefined }
  return { ok: true, filter: (event) => conditions.every((condition) => holds(condition, event)) }
}

function attributeCondition(name: string, text: string): Condition | string {
  if (!attributeName.test(name) || never.has(name)) return `"${name}" is no attribute of events, and no parameter here`
  return {
    text,
    json: undefined,
    isOfData: false,
    of: (event) => (Object.hasOwn(event, name) ? event[name] : undefined),
  }
}

function dataCondition(condition: string): Condition | string {
  const colon = condition.indexOf(':')
  const pointer = colon < 0 ? undefined : decoded(condition.slice(0, colon))
  if (pointer === undefined || pointer === '')
    return '"where" is a JSON Pointer, a colon and a value, as in where=/customer:ada'
  const text = condition.slice(colon + 1)
  return {
    text,
    json: scalarOf(text),
    isOfData: true,
    of: ({ data }) => (data === undefined ? undefined : valueAt(data, pointer)),
  }
}

function decoded(text: string): JsonPointer | undefined {
  try {
    const pointer = decodeURIComponent(text)
    return isPointer(pointer) ? pointer : undefined
  } catch {
    return undefined
  }
}

/** The number, boolean or null that a text spells. */
function scalarOf(text: string): JsonValue | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return value === null || typeof value === 'number' || typeof value === 'boolean' ? value : undefined
  } catch {
    return undefined
  }
}

function holds({ of, text, json, isOfData }: Condition, event: JsonObject): boolean {
  // What cannot be decoded now may be what is asked for: it is shown by its bytes rather than left out in silence.
  if (isOfData && Object.hasOwn(event, 'data_base64')) return true
  const value = of(event)
  if (value === undefined || isJsonObject(value)) return false
  return value === text || (json !== undefined && value === json)
}

function refused(detail: string): ParsedFilter {
  return { ok: false, detail }
}
