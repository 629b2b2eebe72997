/** Events that a handler publishes, as records. */
import { createHash } from 'node:crypto'
import type { CatalogEntry } from '@millrace/core/catalog'
import type { CloudEvent } from '@millrace/core/cloud-event'
import { MillraceError } from '@millrace/core/errors'
import type { Handler, Publication } from '@millrace/core/handler'
import { type JsonValue, valueAt } from '@millrace/core/json'
import { contentTypes, eventTimeIn, recordHeaders } from '@millrace/core/kafka-binding'
import type { OutgoingRecord } from '@millrace/kafka/producer'
import type { Codec } from '@millrace/schemas/codec'
import { framedPayload } from '@millrace/schemas/wire-format'

export type PublicationParts = {
  readonly entryOf: (type: string) => CatalogEntry | undefined
  readonly codecOf: (entry: CatalogEntry) => Codec
  readonly registryUrl: string
}

/**
 * The records of what a handler publishes for an event. Their source is the handler, and their ids are made from the event's identity, so
 * that they are the same however often it is handled. Their time and trace are the event's.
 * @throws MillraceError 'event-type.refused' for a type that the handler does not declare, or data that does not fit it
 */
export function recordsOf(
  { name, to }: Handler,
  event: CloudEvent,
  publications: readonly Publication[],
  { entryOf, codecOf, registryUrl }: PublicationParts,
): OutgoingRecord[] {
  const { traceparent, tracestate } = event.attributes
  const trace = Object.entries({ traceparent, tracestate }).filter(
    (pair): pair is [string, string] => pair[1] !== undefined,
  )
  return publications.map(({ type, data, subject }, index) => {
    if (!to.some((declared) => declared.name === type.name)) {
      throw refused(`handler "${name}" publishes "${type.name}", which it does not declare: add it to "to"`)
    }
    const entry = entryOf(type.name)
    if (!entry) throw refused(`the event type "${type.name}" is not in the catalog: apply the definition`)
    const coded = codecOf(entry).fromJson(data)
    if (!coded.ok) {
      const [violation] = coded.violations
      throw refused(
        `what is published does not fit "${type.name}": ${violation?.pointer ?? ''} ${violation?.detail ?? ''}`,
      )
    }
    const context = {
      id: identityOf(event, index),
      source: `/handlers/${name}`,
      type: type.name,
      specversion: '1.0',
      time: event.time,
      attributes: subject === undefined ? {} : { subject },
    } as const
    const headers = recordHeaders(context, {
      schemaUrl: `${registryUrl}/schemas/ids/${entry.schemaId}`,
      contentType: contentTypes[entry.format],
      trace: new Map(trace),
      eventTime: eventTimeIn(coded.data, entry.time),
    })
    return {
      topic: entry.topic,
      key: keyOf(coded.data, entry),
      value: framedPayload(entry.format, entry.schemaId, coded.value),
      headers,
      timestampMs: Date.now(),
    }
  })
}

function keyOf(data: JsonValue, { key: pointer, type }: CatalogEntry): Buffer | undefined {
  const key = pointer === null ? undefined : valueAt(data, pointer)
  if (key === undefined || key === null) return undefined
  if (typeof key === 'object') throw refused(`the key of "${type}" is not a scalar`)
  return Buffer.from(String(key))
}

/** Unlike for unlike events, whoever sent them, and the same each time. */
export function identityOf({ source, id }: Pick<CloudEvent, 'source' | 'id'>, index?: number): string {
  const text = JSON.stringify(index === undefined ? [source, id] : [source, id, index])
  return createHash('sha256').update(text).digest('base64url')
}

function refused(message: string): MillraceError {
  return new MillraceError('event-type.refused', message)
}
