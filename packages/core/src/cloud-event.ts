import { isJsonObject, type JsonObject, type JsonPointer, type JsonValue, pointerOf } from './json.ts'

/** A CloudEvents 1.0 event whose data is JSON. Attribute values are strings; extension names are lower-case letters and digits. */
export type CloudEvent = {
  readonly id: string
  readonly source: string
  readonly type: string
  readonly specversion: '1.0'
  /** RFC 3339. */
  readonly time: string
  readonly attributes: Readonly<Record<string, string>>
  readonly data: JsonValue
}

/** One thing that is wrong with what a client sent, and where. */
export type Violation = { readonly pointer: JsonPointer; readonly detail: string }

/** What the platform fills in where a producer left it out. */
export type Defaults = { readonly id: () => string; readonly time: () => string }

export type ParsedEvent =
  { readonly ok: true; readonly event: CloudEvent } | { readonly ok: false; readonly violations: readonly Violation[] }

const required = ['source', 'type'] as const
const own = new Set(['id', 'source', 'type', 'specversion', 'time', 'data', 'data_base64'])
const attributeName = /^[a-z0-9]{1,64}$/
const attributeLengthMax = 1_024
const rfc3339 = /^\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d+)?([Zz]|[+-]\d{2}:\d{2})$/

/**
 * Reads an event in CloudEvents' structured mode (JSON event format, CloudEvents 1.0 §3).
 * `id` and `time` are filled in where missing; `source` and `type` are required.
 */
export function parseStructuredEvent(value: unknown, defaults: Defaults): ParsedEvent {
  if (!isJsonObject(value)) return { ok: false, violations: [{ pointer: '', detail: 'must be a JSON object' }] }
  const violations = [...attributeViolations(value), ...contentViolations(value)]
  if (violations.length > 0) return { ok: false, violations }
  const attributes = Object.entries(value).flatMap(([name, attribute]) =>
    own.has(name) || !isScalar(attribute) ? [] : [[name, String(attribute)] as const],
  )
  return {
    ok: true,
    event: {
      id: textOf(value['id']) ?? defaults.id(),
      source: textOf(value['source']) ?? '',
      type: textOf(value['type']) ?? '',
      specversion: '1.0',
      time: textOf(value['time']) ?? defaults.time(),
      attributes: Object.fromEntries(attributes),
      data: value['data'] ?? null,
    },
  }
}

/** The structured-mode JSON of an event, as every reader of the API receives it. */
export function structuredEvent(event: CloudEvent): JsonObject {
  const { id, source, type, specversion, time, attributes, data } = event
  return { specversion, id, source, type, time, ...attributes, data }
}

function isScalar(value: JsonValue): value is string | number | boolean {
  return value !== null && typeof value !== 'object'
}

function textOf(value: JsonValue | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined
}

function attributeViolations(value: JsonObject): Violation[] {
  const violations: Violation[] = required
    .filter((name) => value[name] === undefined)
    .map((name) => ({ pointer: pointerOf(name), detail: 'is required' }))
  for (const [name, attribute] of Object.entries(value)) {
    if (name === 'data' || name === 'data_base64' || attribute === null) continue
    const detail = attributeViolation(name, attribute)
    if (detail) violations.push({ pointer: pointerOf(name), detail })
  }
  return violations
}

function attributeViolation(name: string, attribute: JsonValue): string | undefined {
  if (!attributeName.test(name)) return 'is not an attribute name: lower-case letters and digits only'
  const known = own.has(name) || name === 'subject' || name === 'datacontenttype' || name === 'dataschema'
  if (typeof attribute !== 'string') {
    return !known && (typeof attribute === 'boolean' || Number.isInteger(attribute)) ? undefined : 'must be a string'
  }
  if (attribute.length === 0) return 'must not be empty'
  if (attribute.length > attributeLengthMax) return `must not be longer than ${attributeLengthMax} characters`
  if (name === 'specversion' && attribute !== '1.0') return 'must be "1.0"'
  if (name === 'time' && (!rfc3339.test(attribute) || Number.isNaN(Date.parse(attribute)))) {
    return 'must be an RFC 3339 time, as in "2001-01-31T23:59:00Z"'
  }
  return undefined
}

function contentViolations(value: JsonObject): Violation[] {
  const violations: Violation[] = []
  if (value['specversion'] === undefined) violations.push({ pointer: '/specversion', detail: 'is required: "1.0"' })
  if (value['data_base64'] !== undefined) {
    violations.push({ pointer: '/data_base64', detail: 'is not for a JSON event type: send "data"' })
  }
  if (value['data'] === undefined) violations.push({ pointer: '/data', detail: 'is required' })
  return violations
}
