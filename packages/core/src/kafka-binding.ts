import type { CloudEvent, EventContext } from './cloud-event.ts'
import type { SchemaFormat } from './event-type.ts'
import { type JsonPointer, type JsonValue, valueAt } from './json.ts'

/**
 * CloudEvents on Kafka in binary mode: attributes are headers, the value is the data.
 * @see CloudEvents Kafka Protocol Binding 1.0 §3.2
 */
export type RecordHeaders = ReadonlyMap<string, string>

/** The media types of records. */
export const contentTypes = {
  json: 'application/json',
  avro: 'application/avro',
  protobuf: 'application/protobuf',
} as const satisfies Record<SchemaFormat, string>

/** What a record says of an event beside its attributes. */
export type RecordFacts = {
  /** Ends in `/schemas/ids/<id>`. */
  readonly schemaUrl: string
  /** The media type of the value. */
  readonly contentType: string
  /** `traceparent` and `tracestate` of the hop that wrote the record. */
  readonly trace?: ReadonlyMap<string, string> | undefined
  /** What a producer sent, as a hash: so that any instance recognises a retry. */
  readonly fingerprint?: string | undefined
  /** RFC 3339: the time that the data holds, for event types whose time is there. */
  readonly eventTime?: string | undefined
}

/** The header of a record that holds its fingerprint. */
export const fingerprintHeader = 'millrace_fingerprint'

/** The header of a record that holds the event's time where that stands in its data, so that whoever counts need not decode it. */
export const eventTimeHeader = 'millrace_event_time'

/** The time that the data of an event holds where its type says; it was looked at before that it is one. */
export function eventTimeIn(data: JsonValue, time: JsonPointer | null): string | undefined {
  const value = time === null ? undefined : valueAt(data, time)
  return typeof value === 'string' ? value : undefined
}

/** The headers of an event's record. */
export function recordHeaders(event: EventContext, facts: RecordFacts): Map<string, string> {
  const headers = new Map([
    ['ce_specversion', event.specversion],
    ['ce_id', event.id],
    ['ce_source', event.source],
    ['ce_type', event.type],
    ['ce_time', event.time],
  ])
  for (const name in event.attributes) {
    const value = event.attributes[name]
    if (!apart.has(name) && value !== undefined) headers.set(`ce_${name}`, value)
  }
  headers.set('ce_dataschema', facts.schemaUrl)
  headers.set(contentTypeHeader, facts.contentType)
  for (const [name, value] of facts.trace ?? []) headers.set(name, value)
  if (facts.fingerprint !== undefined) headers.set(fingerprintHeader, facts.fingerprint)
  if (facts.eventTime !== undefined) headers.set(eventTimeHeader, facts.eventTime)
  return headers
}

/** The event of a record, its data as JSON whatever the record's format; `undefined` when its headers are not those of a CloudEvent. */
export function eventOfRecord(headers: RecordHeaders, data: JsonValue): CloudEvent | undefined {
  const id = headers.get('ce_id')
  const source = headers.get('ce_source')
  const type = headers.get('ce_type')
  const time = headers.get('ce_time')
  if (id === undefined || source === undefined || type === undefined || time === undefined) return undefined
  const attributes: [string, string][] = [...headers].flatMap(([name, value]): [string, string][] => {
    if (name.startsWith('ce_')) return mandatory.has(name) ? [] : [[name.slice(3), value]]
    return traceHeaders.has(name) ? [[name, value]] : []
  })
  // Of the data as it is here: another media type would make a reader expect a text (JSON event format §3.1).
  if (headers.has(contentTypeHeader)) attributes.push(['datacontenttype', 'application/json'])
  return { id, source, type, specversion: '1.0', time, attributes: Object.fromEntries(attributes), data }
}

const contentTypeHeader = 'content-type'
const mandatory = new Set(['ce_id', 'ce_source', 'ce_type', 'ce_time', 'ce_specversion'])
/** The Distributed Tracing extension of CloudEvents: as on HTTP, these keep their own names. */
const traceHeaders = new Set(['traceparent', 'tracestate'])
/** Attributes that have a header of another name, or that the platform answers for itself. */
const apart = new Set(['datacontenttype', 'dataschema', ...traceHeaders])
