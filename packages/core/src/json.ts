/** A JSON value as RFC 8259 knows it. */
export type JsonValue = null | boolean | number | string | readonly JsonValue[] | JsonObject
export type JsonObject = { readonly [key: string]: JsonValue }

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Whether an object has no members but these. */
export function hasOnly(value: JsonObject, ...names: readonly string[]): boolean {
  return Object.keys(value).every((name) => names.includes(name))
}

/** What a text says as JSON, or `undefined` where it is none. */
export function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** A JSON Pointer (RFC 6901): empty for the whole document, else it starts with a slash. */
export type JsonPointer = '' | `/${string}`

/** Whether something has the shape of JSON at its top; what JSON.parse returns is JSON below it too. */
export function isJsonValue(value: unknown): value is JsonValue {
  return (
    value === null ||
    ['boolean', 'number', 'string'].includes(typeof value) ||
    Array.isArray(value) ||
    isJsonObject(value)
  )
}

export function isPointer(value: unknown): value is JsonPointer {
  return typeof value === 'string' && (value === '' || value.startsWith('/'))
}

/** The reference tokens of a pointer: `/a~1b/0` → `['a/b', '0']`. */
export function pointerTokens(pointer: JsonPointer): string[] {
  if (pointer === '') return []
  const tokens = pointer.slice(1).split('/')
  return pointer.includes('~') ? tokens.map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~')) : tokens
}

/** Joins reference tokens to a pointer, escaping `~` and `/`. */
export function pointerOf(...tokens: readonly (string | number)[]): JsonPointer {
  return tokens.length === 0
    ? ''
    : `/${tokens.map((token) => String(token).replaceAll('~', '~0').replaceAll('/', '~1')).join('/')}`
}

/** The value a pointer names, or `undefined` where the document has none. Only own properties count. */
export function valueAt(document: JsonValue, pointer: JsonPointer): JsonValue | undefined {
  let value: JsonValue | undefined = document
  for (const token of pointerTokens(pointer)) {
    if (value === undefined || value === null || typeof value !== 'object') return undefined
    const container: object = value
    if (!Object.hasOwn(container, token)) return undefined
    value = isJsonObject(value) ? value[token] : isJsonArray(value) ? value[Number(token)] : undefined
  }
  return value
}

export function isJsonArray(value: JsonValue | undefined): value is readonly JsonValue[] {
  return Array.isArray(value)
}
