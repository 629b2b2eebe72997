import {
  connectHeaderPrefix,
  deadLetterHeaders,
  type DeadLetterReason,
  detailLengthMax,
  type HeadersRead,
  isReason,
  replaysHeader,
} from './dead-letter.ts'

/** What a dead letter says of itself. */
export type DeadLetter = {
  readonly by: string
  readonly reason: DeadLetterReason
  readonly detail: string
  readonly pointer: string | undefined
  readonly attempts: number
  readonly firstFailedAtMs: number
  readonly failedAtMs: number
  readonly origin: {
    readonly topic: string
    /** Absent for what was never stored, or where it does not say. */
    readonly partition: number | undefined
    readonly offset: bigint | undefined
    readonly timestampMs: number | undefined
  }
  readonly replays: number
  /** The key with which the value is sealed. */
  readonly sealed: string | undefined
}

/**
 * What a record of a dead letter topic says of itself, in the form of this file or in that of Kafka Connect. It is read with tolerance:
 * anybody with the right to write may have written it, and it must be seen to be dealt with.
 * @param stored of the dead letter topic of `topic`
 */
export function readDeadLetter(topic: string, stored: HeadersRead & { readonly timestampMs: number }): DeadLetter {
  const header = (name: string) => stored.headers.get(name)
  const byConnect = header(deadLetterHeaders.by) === undefined && header(connectHeaders.topic) !== undefined
  const said = byConnect ? saidByConnect(header) : saidByPlatform(header)
  const failedAtMs = said.failedAtMs ?? stored.timestampMs
  const replays = whole(header(replaysHeader))
  return {
    ...said,
    failedAtMs,
    firstFailedAtMs: said.firstFailedAtMs ?? failedAtMs,
    origin: { ...said.origin, topic: said.origin.topic ?? topic },
    replays: replays ?? 0,
  }
}

type Header = (name: string) => string | undefined
type Said = Omit<DeadLetter, 'failedAtMs' | 'firstFailedAtMs' | 'origin' | 'replays'> & {
  readonly failedAtMs: number | undefined
  readonly firstFailedAtMs: number | undefined
  readonly origin: Omit<DeadLetter['origin'], 'topic'> & { readonly topic: string | undefined }
}

function saidByPlatform(header: Header): Said {
  const names = deadLetterHeaders
  const reason = header(names.reason) ?? ''
  return {
    by: header(names.by) ?? 'unknown',
    reason: isReason(reason) ? reason : 'unknown',
    detail: header(names.detail) ?? '',
    pointer: header(names.pointer),
    attempts: whole(header(names.attempts)) ?? 1,
    firstFailedAtMs: timeOf(header(names.firstFailedAt)),
    failedAtMs: timeOf(header(names.failedAt)),
    sealed: header(names.sealed),
    origin: {
      topic: header(names.topic),
      partition: whole(header(names.partition)),
      offset: wholeBig(header(names.offset)),
      timestampMs: timeOf(header(names.timestamp)),
    },
  }
}

/** @see org.apache.kafka.connect.runtime.errors.DeadLetterQueueReporter */
const connectHeaders = {
  topic: `${connectHeaderPrefix}topic`,
  partition: `${connectHeaderPrefix}partition`,
  offset: `${connectHeaderPrefix}offset`,
  connector: `${connectHeaderPrefix}connector.name`,
  stage: `${connectHeaderPrefix}stage`,
  exception: `${connectHeaderPrefix}exception.class.name`,
  message: `${connectHeaderPrefix}exception.message`,
} as const

/** Connect does not say when: what it writes has the original's time. */
function saidByConnect(header: Header): Said {
  const names = connectHeaders
  const told = [header(names.stage), header(names.exception), header(names.message)].filter(
    (part) => part !== undefined,
  )
  return {
    by: `connect/${header(names.connector) ?? ''}`,
    reason: header(names.stage)?.endsWith('_CONVERTER') === true ? 'undecodable' : 'sink-failed',
    detail: told.join(': ').slice(0, detailLengthMax),
    pointer: undefined,
    attempts: 1,
    firstFailedAtMs: undefined,
    failedAtMs: undefined,
    sealed: undefined,
    origin: {
      topic: header(names.topic),
      partition: whole(header(names.partition)),
      offset: wholeBig(header(names.offset)),
      timestampMs: undefined,
    },
  }
}

function timeOf(text: string | undefined): number | undefined {
  const ms = text === undefined ? NaN : Date.parse(text)
  return Number.isNaN(ms) ? undefined : ms
}

function whole(text: string | undefined): number | undefined {
  const number = wholeBig(text)
  return number !== undefined && number <= Number.MAX_SAFE_INTEGER ? Number(number) : undefined
}

function wholeBig(text: string | undefined): bigint | undefined {
  return text !== undefined && /^\d{1,19}$/.test(text) ? BigInt(text) : undefined
}
