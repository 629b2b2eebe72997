import type { CatalogEntry } from '@millrace/core/catalog'
import { structuredEvent } from '@millrace/core/cloud-event'
import type { JsonObject, JsonValue } from '@millrace/core/json'
import { eventOfRecord } from '@millrace/core/kafka-binding'
import type { StoredRecord } from '@millrace/kafka/reader'
import type { EventTypes } from './event-types.ts'

/** An event as every reader receives it. */
export type EventItem = {
  readonly event: JsonObject
  readonly partition: number
  readonly offset: number
  /** When it was stored. RFC 3339. */
  readonly timestamp: string
}

/**
 * The data of a record as JSON, whatever its format; `undefined` when it cannot be told. A promise where the schema is not known yet.
 */
export type ReadPayload = (
  entry: CatalogEntry | undefined,
  headers: StoredRecord['headers'],
  value: Buffer,
) => JsonValue | undefined | Promise<JsonValue | undefined>

/** Decodes records, at once where all their schemas are known. */
export type ItemsOf = (records: readonly StoredRecord[]) => readonly EventItem[] | Promise<readonly EventItem[]>

export function createItems({ find, isHidden }: Pick<EventTypes, 'find' | 'isHidden'>, read: ReadPayload): ItemsOf {
  const decoded = decoder(find, read)
  return (records) => decoded(records.map((record) => (isHidden(record.topic) ? { ...record, value: null } : record)))
}

function decoder(find: EventTypes['find'], read: ReadPayload): ItemsOf {
  const dataOf = ({ headers, value }: StoredRecord) => {
    try {
      return value === null ? null : read(find(headers.get('ce_type') ?? ''), headers, value)
    } catch {
      return undefined
    }
  }
  return (records) => {
    const data = records.map(dataOf)
    if (!data.some((one) => one instanceof Promise)) {
      return records.map((record, index) => itemOf(record, settled(data[index])))
    }
    // A schema that cannot be had now does not hold up the rest: the event is shown by its bytes.
    const known = Promise.all(data.map(async (one) => Promise.resolve(one).catch(() => undefined)))
    return known.then((all) => records.map((record, index) => itemOf(record, all[index])))
  }
}

function settled(data: JsonValue | undefined | Promise<JsonValue | undefined>): JsonValue | undefined {
  return data instanceof Promise ? undefined : data
}

/** A record decoded. One that is no CloudEvent (a dead letter may be anything) is shown by its bytes. */
export function itemOf(record: StoredRecord, data: JsonValue | undefined): EventItem {
  const { headers, value, partition, offset, timestampMs } = record
  const event = data === undefined ? undefined : eventOfRecord(headers, data)
  const shown = event ? structuredEvent(event) : undecoded(headers, value)
  return { event: shown, partition, offset: Number(offset), timestamp: storedAt(timestampMs) }
}

/** What RFC 3339 can say: the years from 0 to 9999. */
const timeMs = { min: Date.parse('0000-01-01T00:00:00Z'), max: Date.parse('9999-12-31T23:59:59.999Z') } as const

/** Writers other than the gateway may give a record any time: the nearest that can be said, so that it hides nothing that is beside it. */
function storedAt(timestampMs: number): string {
  return new Date(Math.max(timeMs.min, Math.min(timeMs.max, timestampMs))).toISOString()
}

function undecoded(headers: StoredRecord['headers'], value: Buffer | null): JsonObject {
  return {
    specversion: '1.0',
    ...Object.fromEntries(
      [...headers].flatMap(([name, text]) => (name.startsWith('ce_') ? [[name.slice(3), text]] : [])),
    ),
    data_base64: value?.toString('base64') ?? null,
  }
}
