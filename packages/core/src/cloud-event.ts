import { isJsonObject, type JsonObject, type JsonPointer, type JsonValue, pointerOf } from './json.ts'

/** What a CloudEvents 1.0 event says of itself. Attribute values are strings; extension names are lower-case letters and digits. */
export type EventContext = {
  readonly id: string
  readonly source: string
  readonly type: string
  readonly specversion: '1.0'
  /** RFC 3339. */
  readonly time: string
  readonly attributes: Readonly<Record<string, string>>
}

/** An event with its data as JSON. */
export type CloudEvent = EventContext & { readonly data: JsonValue }

/** The data as an event in JSON carries it: `data`, or bytes as `data_base64`. */
export type EventContent = { readonly data: JsonValue } | { readonly base64: string }

/** One thing that is wrong with what a client sent, and where. */
export type Violation = { readonly pointer: JsonPointer; readonly detail: string }

/** What the platform fills in where a producer left it out. */
export type Defaults = { readonly id: () => string; readonly time: () => string }

/** Which of what may be filled in the producer gave itself. */
export type Given = { readonly time: boolean }

type Refused = { readonly ok: false; readonly violations: readonly Violation[] }
export type ParsedContext = { readonly ok: true; readonly context: EventContext; readonly given: Given } | Refused
export type ParsedEvent =
  { readonly ok: true; readonly context: EventContext; readonly given: Given; readonly content: EventContent } | Refused

const required = Object.entries({
  source: 'is required',
  type: 'is required',
  specversion: 'is required: "1.0"',
})
const own = new Set(['id', 'source', 'type', 'specversion', 'time', 'data', 'data_base64'])
const attributeName = /^[a-z0-9]{1,64}$/
const attributeLengthMax = 1_024
/** Each is a header of the record. */
const attributesMax = 256
/** How many violations of its attributes an event is told. */
const violationsMax = 50
const rfc3339 =
  /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])[Tt](?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d+)?(?:[Zz]|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/
/** A day that all months have. */
const commonDayMax = 28
const base64 = /^[A-Za-z0-9+/]*={0,2}$/

/** Whether a text is a time as RFC 3339 writes it. */
export function isTime(text: string): boolean {
  if (!rfc3339.test(text)) return false
  const day = Number(text.slice(8, 10))
  return day <= commonDayMax || day <= daysOf(Number(text.slice(0, 4)), Number(text.slice(5, 7)))
}

/** RFC 3339 text that is longer is no time that anybody keeps. */
const timeLengthMax = 64

const dayMs = 86_400_000
/** The first time that there is, in ms since 1970. */
export const earliestTimeMs = Date.parse('0000-01-01T00:00:00Z')
const yearsEndMs = Date.parse('+010000-01-01T00:00:00Z')

/**
 * Milliseconds since 1970 of a time as RFC 3339 writes it, or `undefined` for any other text and for what an offset moves out of the years
 * 0000 to 9999 of UTC. A leap second, which stands at the end of a day in UTC, counts as the first second of the next day. Pipelines read
 * times by the very same rules (`Rfc3339.java`).
 */
export function timeOf(text: string): number | undefined {
  if (text.length > timeLengthMax) return undefined
  const leaps = text.slice(17, 19) === '60'
  const second = leaps ? `${text.slice(0, 17)}59${text.slice(19)}` : text
  if (!isTime(second)) return undefined
  const ms = Date.parse(second.toUpperCase()) + (leaps ? 1_000 : 0)
  if (ms < earliestTimeMs || ms >= yearsEndMs) return undefined
  return leaps && Math.floor(ms / 1_000) % (dayMs / 1_000) !== 0 ? undefined : ms
}

function daysOf(year: number, month: number): number {
  if (month !== 2) return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28
}

/**
 * Reads an event in CloudEvents' structured mode (JSON event format, CloudEvents 1.0 §3).
 * `id` and `time` are filled in where missing; `source` and `type` are required.
 */
export function parseStructuredEvent(value: unknown, defaults: Defaults): ParsedEvent {
  if (!isJsonObject(value)) return { ok: false, violations: [{ pointer: '', detail: 'must be a JSON object' }] }
  const content = contentOf(value)
  const violations = [...attributeViolations(value), ...(isViolation(content) ? [content] : [])]
  return violations.length > 0 || isViolation(content)
    ? { ok: false, violations }
    : { ok: true, ...contextOf(value, defaults), content }
}

/** Reads the attributes of an event whose data travels beside them, as in binary mode. */
export function parseContext(attributes: JsonObject, defaults: Defaults): ParsedContext {
  const violations = attributeViolations(attributes)
  return violations.length > 0 ? { ok: false, violations } : { ok: true, ...contextOf(attributes, defaults) }
}

function contextOf(value: JsonObject, defaults: Defaults): { readonly context: EventContext; readonly given: Given } {
  const attributes: Record<string, string> = {}
  for (const [name, attribute] of Object.entries(value)) {
    if (!own.has(name) && isScalar(attribute)) attributes[name] = String(attribute)
  }
  const [id, time] = [textOf(value['id']), textOf(value['time'])]
  const context = {
    id: id ?? defaults.id(),
    source: textOf(value['source']) ?? '',
    type: textOf(value['type']) ?? '',
    specversion: '1.0',
    time: time ?? defaults.time(),
    attributes,
  } as const
  return { context, given: { time: time !== undefined } }
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
  const violations: Violation[] = []
  for (const [name, detail] of required) {
    if ((value[name] ?? null) === null) violations.push({ pointer: pointerOf(name), detail })
  }
  const names = Object.keys(value)
  if (names.length > attributesMax) {
    violations.push({ pointer: '', detail: `must not have more than ${attributesMax} attributes` })
  }
  for (const name of names.slice(0, attributesMax)) {
    const attribute = value[name] ?? null
    if (name === 'data' || name === 'data_base64' || attribute === null) continue
    const detail = attributeViolation(name, attribute)
    if (detail && violations.length < violationsMax) violations.push({ pointer: pointerOf(name), detail })
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
  if (/\p{Cc}/u.test(attribute)) return 'must not hold control characters'
  if (name === 'specversion' && attribute !== '1.0') return 'must be "1.0"'
  if (name === 'time' && !isTime(attribute)) {
    return 'must be an RFC 3339 time, as in "2001-01-31T23:59:00Z"'
  }
  return undefined
}

function contentOf(value: JsonObject): EventContent | Violation {
  const { data, data_base64: encoded = null } = value
  if (encoded === null) return data === undefined ? { pointer: '/data', detail: 'is required' } : { data }
  const pointer = '/data_base64'
  if (data !== undefined) return { pointer, detail: 'must not stand beside "data": they are the same thing' }
  if (typeof encoded !== 'string' || encoded.length % 4 !== 0 || !base64.test(encoded)) {
    return { pointer, detail: 'must be bytes in Base64, with its padding' }
  }
  return { base64: encoded }
}

function isViolation(value: EventContent | Violation): value is Violation {
  return 'pointer' in value
}
