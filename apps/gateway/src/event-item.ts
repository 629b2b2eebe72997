import { structuredEvent } from '@millrace/core/cloud-event'
import { isJsonValue, type JsonObject, type JsonValue } from '@millrace/core/json'
import { eventOfRecord } from '@millrace/core/kafka-binding'
import type { StoredRecord } from '@millrace/kafka/reader'

/** An event as every reader receives it. */
export type EventItem = {
  readonly event: JsonObject
  readonly partition: number
  readonly offset: number
  /** When it was stored. RFC 3339. */
  readonly timestamp: string
}

/** A record decoded. One that is no CloudEvent (a dead letter may be anything) is shown by its bytes. */
export function itemOf({ headers, value, partition, offset, timestampMs }: StoredRecord): EventItem {
  const data = value === null ? null : parsed(value)
  const event = data === undefined ? undefined : eventOfRecord(headers, data)
  const shown = event ? structuredEvent(event) : undecoded(headers, value)
  return { event: shown, partition, offset: Number(offset), timestamp: new Date(timestampMs).toISOString() }
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

function parsed(value: Buffer): JsonValue | undefined {
  try {
    const data: unknown = JSON.parse(value.toString())
    return isJsonValue(data) ? data : undefined
  } catch {
    return undefined
  }
}

/** Where reading goes on, over all partitions: opaque to clients. */
export function cursorOf(topic: string, next: ReadonlyMap<number, bigint>): string {
  const offsets = [...next].map(([partition, offset]) => `${partition}:${offset}`)
  return Buffer.from(`1 ${topic} ${offsets.join(',')}`).toString('base64url')
}
