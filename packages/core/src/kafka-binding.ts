import type { CloudEvent } from './cloud-event.ts'
import type { JsonValue } from './json.ts'

/**
 * CloudEvents on Kafka in binary mode: attributes are headers, the value is the data.
 * @see CloudEvents Kafka Protocol Binding 1.0 §3.2
 */
export type RecordHeaders = ReadonlyMap<string, string>

/** The headers of an event's record. `schemaUrl` ends in `/schemas/ids/<id>`. */
export function recordHeaders(event: CloudEvent, schemaUrl: string, trace: ReadonlyMap<string, string>): RecordHeaders {
  return new Map([
    ['ce_specversion', event.specversion],
    ['ce_id', event.id],
    ['ce_source', event.source],
    ['ce_type', event.type],
    ['ce_time', event.time],
    ...Object.entries(event.attributes)
      .filter(([name]) => name !== 'datacontenttype' && name !== 'dataschema')
      .map(([name, value]): [string, string] => [`ce_${name}`, value]),
    ['ce_dataschema', schemaUrl],
    ['content-type', 'application/json'],
    ...trace,
  ])
}

/** The event of a record, or `undefined` when its headers are not those of a CloudEvent. */
export function eventOfRecord(headers: RecordHeaders, data: JsonValue): CloudEvent | undefined {
  const id = headers.get('ce_id')
  const source = headers.get('ce_source')
  const type = headers.get('ce_type')
  const time = headers.get('ce_time')
  if (id === undefined || source === undefined || type === undefined || time === undefined) return undefined
  const attributes: [string, string][] = [...headers].flatMap(([name, value]): [string, string][] =>
    name.startsWith('ce_') && !mandatory.has(name) ? [[name.slice(3), value]] : [],
  )
  const contentType = headers.get('content-type')
  if (contentType) attributes.push(['datacontenttype', contentType])
  return { id, source, type, specversion: '1.0', time, attributes: Object.fromEntries(attributes), data }
}

const mandatory = new Set(['ce_id', 'ce_source', 'ce_type', 'ce_time', 'ce_specversion'])
