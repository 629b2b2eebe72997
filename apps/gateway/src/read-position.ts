import type { Offsets } from '@millrace/kafka/admin'
import { decodeCursor } from './cursor.ts'

/** Where a reader wants to begin. */
export type From = 'earliest' | 'latest' | { readonly timestampMs: number } | { readonly cursor: Offsets }

const rfc3339 = /^\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d+)?([Zz]|[+-]\d{2}:\d{2})$/

/** Reads `from`: "earliest", "latest", an RFC 3339 time or a cursor of the topic; `undefined` for anything else. */
export function parseFrom(text: string, topic: string): From | undefined {
  if (text === 'earliest' || text === 'latest') return text
  if (rfc3339.test(text)) {
    const timestampMs = Date.parse(text)
    return Number.isNaN(timestampMs) ? undefined : { timestampMs: Math.max(0, timestampMs) }
  }
  const cursor = decodeCursor(topic, text)
  return cursor && { cursor }
}
