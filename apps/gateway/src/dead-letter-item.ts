import type { DeadLetterReason } from '@millrace/core/dead-letter'
import type { JsonValue } from '@millrace/core/json'
import { type DeadLetter, readDeadLetter } from '@millrace/core/read-dead-letter'
import { deadLetterTopic } from '@millrace/core/topic-name'
import type { StoredRecord } from '@millrace/kafka/reader'
import type { EventTypes } from './event-types.ts'
import type { Payloads } from './payloads.ts'

/** A dead letter as the API shows it. */
export type DeadLetterItem = {
  /** Those of the event, where its headers say them. */
  readonly id: string | null
  readonly source: string | null
  readonly type: string | null
  readonly reason: DeadLetterReason
  readonly detail: string
  readonly pointer?: string
  readonly by: string
  readonly attempts: number
  readonly failedAt: string
  readonly firstFailedAt: string
  readonly origin: {
    readonly topic: string
    readonly partition?: number
    readonly offset?: number
    readonly timestamp?: string
  }
  /** Of the letter itself. */
  readonly partition: number
  readonly offset: number
  readonly replays: number
  readonly sealed: boolean
  /** The data, where it can be decoded, or its bytes in Base64; neither of a type with something to hide. */
  readonly data?: JsonValue
  readonly data_base64?: string | null
}

/** Shows dead letters of a topic. */
export function createDeadLetterItems(eventTypes: EventTypes, read: Payloads['read']) {
  return async (topic: string, record: StoredRecord): Promise<DeadLetterItem> => {
    const letter = readDeadLetter(topic, record)
    const { origin, pointer } = letter
    const header = (name: string) => record.headers.get(name) ?? null
    return {
      ...{ id: header('ce_id'), source: header('ce_source'), type: header('ce_type') },
      ...{ reason: letter.reason, detail: letter.detail, ...(pointer !== undefined && { pointer }) },
      ...{ by: letter.by, attempts: letter.attempts },
      failedAt: timeText(letter.failedAtMs),
      firstFailedAt: timeText(letter.firstFailedAtMs),
      origin: {
        topic: origin.topic,
        ...(origin.partition !== undefined && { partition: origin.partition }),
        ...(origin.offset !== undefined && { offset: Number(origin.offset) }),
        ...(origin.timestampMs !== undefined && { timestamp: timeText(origin.timestampMs) }),
      },
      ...{ partition: record.partition, offset: Number(record.offset) },
      ...{ replays: letter.replays, sealed: letter.sealed !== undefined },
      ...(await shownData(topic, letter, record, eventTypes, read)),
    }
  }
}

/** Whether what failed may be shown: never of a topic that has a type with something to hide, whoever wrote the letter, sealed or not. */
async function shownData(
  topic: string,
  letter: DeadLetter,
  { headers, value }: StoredRecord,
  eventTypes: EventTypes,
  read: Payloads['read'],
): Promise<Pick<DeadLetterItem, 'data' | 'data_base64'>> {
  const entry = eventTypes.find(headers.get('ce_type') ?? '')
  if (letter.sealed !== undefined || eventTypes.isHidden(deadLetterTopic(topic)) || entry?.sensitive.length) return {}
  const data = value === null ? undefined : await decoded(entry, headers, value, read)
  return data === undefined ? { data_base64: value?.toString('base64') ?? null } : { data }
}

async function decoded(...[entry, headers, value, read]: [...Parameters<Payloads['read']>, Payloads['read']]) {
  try {
    return await read(entry, headers, value)
  } catch {
    return undefined
  }
}

const timeMs = { min: Date.parse('0000-01-01T00:00:00Z'), max: Date.parse('9999-12-31T23:59:59.999Z') } as const

function timeText(ms: number): string {
  return new Date(Math.max(timeMs.min, Math.min(timeMs.max, ms))).toISOString()
}
