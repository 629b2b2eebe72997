/**
 * The one form of a dead letter, whoever wrote it: the record keeps its key, value and headers, byte for byte, in `<topic>.dlq`, and the
 * headers of this file stand behind its own and say why it is there and where it came from. Their names are the platform's: a record
 * that brings some of its own (a dead letter that failed again after its replay) has them replaced, all but the count of its replays.
 */
import { deadLetterTopic } from './topic-name.ts'

export const deadLetterHeaders = {
  /** Which part of the platform gave up: `gateway`, `worker/<name>`, `flink/<pipeline>`, `connect/<sink>`. */
  by: 'millrace_dlq_by',
  /** A code for programs: one of `deadLetterReasons`. */
  reason: 'millrace_dlq_reason',
  /** One sentence for a person. */
  detail: 'millrace_dlq_detail',
  /** Where in the data it is wrong: a JSON Pointer. */
  pointer: 'millrace_dlq_pointer',
  /** How often it was tried. */
  attempts: 'millrace_dlq_attempts',
  /** When the first attempt and the last one failed, as RFC 3339 writes times. */
  firstFailedAt: 'millrace_dlq_first_failed_at',
  failedAt: 'millrace_dlq_failed_at',
  /** With which key the value is sealed; absent: it is the original's. */
  sealed: 'millrace_dlq_sealed',
  topic: 'millrace_origin_topic',
  /** Absent for what was never stored, as are those that follow. */
  partition: 'millrace_origin_partition',
  offset: 'millrace_origin_offset',
  /** The original's own time, as RFC 3339 writes times. */
  timestamp: 'millrace_origin_timestamp',
} as const

/** How often a record was replayed from a dead letter topic; it stays on the record, and so on the next dead letter of it. */
export const replaysHeader = 'millrace_replays'

/** With what Kafka Connect names the headers that it adds to a dead letter. */
export const connectHeaderPrefix = '__connect.errors.'

/** What a dead letter may be there for. */
export const deadLetterReasons = {
  malformed:
    'The value is not of its event type as its reader takes it: not JSON, or without a field or a time that is needed.',
  'too-far-ahead': 'Its time is further ahead of when it was stored than its pipeline takes.',
  undecodable:
    'The bytes cannot be decoded: their framing, the schema that they name, or what stands there instead of it.',
  invalid: 'The data was decoded and is not what the schema of its event type asks.',
  rejected: 'A handler looked at it and gave it up.',
  'retries-exhausted': 'A handler failed at it as often as it may be tried.',
  timeout: 'A handler took longer for it than it may.',
  'too-large': 'It is larger than the topic that it was for takes.',
  'publish-failed': 'The cluster answered, and refused to store it.',
  'sink-failed': 'A sink could not load it.',
  unknown: 'Whoever wrote the dead letter does not say.',
} as const

export type DeadLetterReason = keyof typeof deadLetterReasons

/** Whether a text is the code of a reason. */
export function isReason(text: string): text is DeadLetterReason {
  return Object.hasOwn(deadLetterReasons, text)
}

/** A header as its bytes. */
export type RawHeader<Bytes extends Uint8Array = Uint8Array> = readonly [name: Bytes, value: Bytes | null]

/** The headers of a record, as a reader has them. */
export type HeadersRead<Bytes extends Uint8Array = Uint8Array> = {
  readonly headers: ReadonlyMap<string, string>
  /** All of them as they are, where texts by name cannot hold them: what is not UTF-8, a null, a name that comes twice. */
  readonly rawHeaders?: readonly RawHeader<Bytes>[] | undefined
}

/** A record that failed. */
export type FailedRecord<Bytes extends Uint8Array = Uint8Array> = HeadersRead<Bytes> & {
  readonly topic: string
  /** Absent for what was never stored. */
  readonly partition?: number
  readonly offset?: bigint
  readonly timestampMs: number
  readonly key?: Bytes | null | undefined
  readonly value: Bytes | null
}

/** Why a record is given up. */
export type Failure = {
  readonly by: string
  readonly reason: Exclude<DeadLetterReason, 'unknown'>
  /** A sentence; it may be shown to everybody who may see that the event failed, so it holds nothing of the data. */
  readonly detail: string
  readonly pointer?: string | undefined
  readonly attempts: number
  readonly firstFailedAtMs: number
  readonly failedAtMs: number
}

/** A value that stands in the dead letter for the original one. */
export type SealedValue<Bytes extends Uint8Array = Uint8Array> = { readonly keyId: string; readonly value: Bytes }

/** A dead letter, ready to be stored: `rawHeaders` stand before `headers`. */
export type DeadLetterRecord<Bytes extends Uint8Array = Uint8Array> = HeadersRead<Bytes> & {
  readonly topic: string
  readonly key: Bytes | undefined
  readonly value: Bytes | null
  readonly headers: Map<string, string>
  readonly timestampMs: number
}

/** A detail is a sentence, not the stack or the data that came with an error. */
export const detailLengthMax = 1_000
const platformHeaders = new Set<string>(Object.values(deadLetterHeaders))

/** The dead letter of a record. `sealed` stands for the value where the type has something to hide. */
export function deadLetterRecord<Bytes extends Uint8Array>(
  record: FailedRecord<Bytes>,
  failure: Failure,
  sealed?: SealedValue<Bytes>,
): DeadLetterRecord<Bytes> {
  const own = originalHeaders(record)
  return {
    topic: deadLetterTopic(record.topic),
    key: record.key ?? undefined,
    value: sealed ? sealed.value : record.value,
    headers: new Map([...(own.rawHeaders ? [] : own.headers), ...failureHeaders(record, failure, sealed?.keyId)]),
    ...(own.rawHeaders && { rawHeaders: own.rawHeaders }),
    timestampMs: failure.failedAtMs,
  }
}

function failureHeaders(record: FailedRecord, failure: Failure, keyId: string | undefined): [string, string][] {
  const names = deadLetterHeaders
  const said: (readonly [string, string | number | bigint | undefined])[] = [
    [names.by, failure.by],
    [names.reason, failure.reason],
    [names.detail, failure.detail.slice(0, detailLengthMax).toWellFormed()],
    [names.pointer, failure.pointer],
    [names.attempts, failure.attempts],
    [names.firstFailedAt, timeText(failure.firstFailedAtMs)],
    [names.failedAt, timeText(failure.failedAtMs)],
    [names.sealed, keyId],
    [names.topic, record.topic],
    [names.partition, record.partition],
    [names.offset, record.offset],
    [names.timestamp, timeText(record.timestampMs)],
  ]
  return said.flatMap(([name, value]): [string, string][] => (value === undefined ? [] : [[name, String(value)]]))
}

/** The headers that a dead letter had before it was one: all but those that say why it is there. */
export function originalHeaders<Bytes extends Uint8Array>({
  headers,
  rawHeaders,
}: HeadersRead<Bytes>): HeadersRead<Bytes> {
  const isOriginal = (name: string) => !platformHeaders.has(name) && !name.startsWith(connectHeaderPrefix)
  const kept = new Map([...headers].filter(([name]) => isOriginal(name)))
  if (!rawHeaders) return { headers: kept }
  return { headers: kept, rawHeaders: rawHeaders.filter(([name]) => !isAscii(name) || isOriginal(asciiText(name))) }
}

function timeText(ms: number): string {
  return new Date(ms).toISOString()
}

function isAscii(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte < 128)
}

function asciiText(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes)
}
