/** One attempt after another at a record, until something becomes of it. */
import type { DeadLetterReason } from '@millrace/core/dead-letter'
import { MillraceError } from '@millrace/core/errors'
import { type HandledEvent, type Handler, handlerReader, type Outcome } from '@millrace/core/handler'
import { replayForHeader } from '@millrace/core/replay'
import { backoffMs } from '@millrace/kafka/backoff'
import { deadLetterOf } from '@millrace/kafka/dead-letters'
import { protocolErrors } from '@millrace/kafka/errors'
import type { OutgoingRecord } from '@millrace/kafka/producer'
import type { StoredRecord } from '@millrace/kafka/reader'
import type { Sealing } from '@millrace/kafka/sealing'
import type { Decoded, DecodeRecord } from './decode.ts'
import { identityOf, type PublicationParts, recordsOf } from './publications.ts'

/** A record that is worked on. */
export type Task = {
  readonly record: StoredRecord
  readonly signal: AbortSignal
  attempts: number
  firstTriedAtMs: number | undefined
  firstFailedAtMs: number | undefined
}

/** What became of a record: the records that are to be stored with the fact that it is done, or when it is to be tried again. */
export type Attempted =
  | { readonly kind: Done; readonly records: readonly OutgoingRecord[] }
  | { readonly kind: 'again'; readonly delayMs: number }

export type DeadLettered = { readonly kind: 'dead-letter'; readonly records: readonly OutgoingRecord[] }
export type Done = 'ok' | 'drop' | 'dead-letter' | 'not-addressed'

export type AttemptParts = PublicationParts & {
  readonly decode: DecodeRecord
  readonly sealing: Sealing
}

const backoff = { minMs: 100, maxMs: 10_000 } as const
/** For what is no fault of the record: the catalog or the registry cannot be asked. */
const elsewhereDelayMs = 1_000

type Failed = {
  readonly reason: Exclude<DeadLetterReason, 'unknown'>
  readonly detail: string
  readonly pointer?: string | undefined
}

export type Attempts = {
  /** Never throws. */
  readonly attempt: (task: Task) => Promise<Attempted>
  /** Gives a record up whose publications Kafka does not take. */
  readonly giveUp: (task: Task, error: MillraceError) => DeadLettered
}

export function createAttempts(handler: Handler, parts: AttemptParts): Attempts {
  const by = handlerReader(handler.name)

  function deadLettered(task: Task, failed: Failed): DeadLettered {
    const failedAtMs = Date.now()
    const failure = { ...failed, by, attempts: task.attempts, failedAtMs }
    const firstFailedAtMs = task.firstFailedAtMs ?? failedAtMs
    // In the catalog the type may be more sensitive than in the definition that this worker was started with.
    const isSensitive = (parts.entryOf(handler.from.name) ?? handler.from).sensitive.length > 0
    const sealing = isSensitive ? parts.sealing : undefined
    return { kind: 'dead-letter', records: [deadLetterOf(task.record, { ...failure, firstFailedAtMs }, sealing)] }
  }

  /** Later each time, until there were too many attempts, or too long ago. */
  function failed(task: Task, failure: Failed, afterMs?: number): Attempted {
    task.firstFailedAtMs ??= Date.now()
    const delayMs = Math.max(afterMs ?? 0, backoffMs(task.attempts - 1, backoff))
    const sinceMs = performance.now() - (task.firstTriedAtMs ?? 0)
    const isLast = task.attempts >= handler.attemptsMax || sinceMs + delayMs > handler.retryWithinMs
    return isLast ? deadLettered(task, failure) : { kind: 'again', delayMs }
  }

  function becameOf(task: Task, event: HandledEvent, outcome: Outcome): Attempted {
    switch (outcome.kind) {
      case 'ok':
        return { kind: 'ok', records: recordsOf(handler, event, outcome.publications, parts) }
      case 'drop':
        return { kind: 'drop', records: [] }
      case 'retry':
        return failed(task, { reason: 'retries-exhausted', detail: outcome.reason }, outcome.afterMs)
      case 'dead-letter':
        return deadLettered(task, { reason: 'rejected', detail: outcome.detail, pointer: outcome.pointer })
      default:
        // A definition may be plain JavaScript.
        throw new TypeError('the handler returned no outcome: return ok(), drop(), retry() or deadLetter()')
    }
  }

  async function handled(task: Task, event: HandledEvent): Promise<Attempted> {
    task.attempts += 1
    task.firstTriedAtMs ??= performance.now()
    try {
      return becameOf(task, event, await handledInTime(handler, task, event))
    } catch (error) {
      if (error instanceof TooLong) return failed(task, { reason: 'timeout', detail: error.message })
      const detail = error instanceof Error ? error.message : String(error)
      return failed(task, { reason: 'retries-exhausted', detail })
    }
  }

  function undecoded(task: Task, { reason, violation }: Extract<Decoded, { ok: false }>): DeadLettered {
    task.attempts += 1
    return deadLettered(task, { reason, ...violation })
  }

  const attempt: Attempts['attempt'] = async (task) => {
    const { record } = task
    if ((record.headers.get(replayForHeader) ?? by) !== by) return { kind: 'not-addressed', records: [] }
    const entry = parts.entryOf(handler.from.name)
    if (!entry) return { kind: 'again', delayMs: elsewhereDelayMs }
    try {
      const decoded = await parts.decode(entry, record)
      return decoded.ok ? await handled(task, decoded.event) : undecoded(task, decoded)
    } catch (error) {
      if (error instanceof MillraceError && error.retryable) {
        return { kind: 'again', delayMs: elsewhereDelayMs }
      }
      const detail = error instanceof Error ? error.message : String(error)
      return deadLettered(task, { reason: 'undecodable', detail })
    }
  }

  return {
    attempt,
    giveUp: (task, error) => {
      const reason = isTooLarge(error) ? 'too-large' : 'publish-failed'
      return deadLettered(task, { reason, detail: error.message })
    },
  }
}

/** Here or at the broker, whose topic may take less. */
function isTooLarge(error: MillraceError): boolean {
  const told = protocolErrors(error)
  return error.code === 'kafka.too-large' || told.has('MESSAGE_TOO_LARGE') || told.has('RECORD_LIST_TOO_LARGE')
}

class TooLong extends Error {}

/** A handler that does not end in time may go on for all we know; what it makes of the event then counts no more. */
async function handledInTime(handler: Handler, task: Task, event: HandledEvent): Promise<Outcome> {
  const { topic, partition, offset, timestampMs } = task.record
  const late = Promise.withResolvers<never>()
  const timeout = new AbortController()
  const timer = setTimeout(() => {
    const error = new TooLong(`it took longer than ${handler.timeoutMs} ms`)
    timeout.abort(error)
    late.reject(error)
  }, handler.timeoutMs)
  const context = {
    ...{ topic, partition, offset, timestampMs, attempt: task.attempts },
    idempotencyKey: identityOf(event),
    signal: AbortSignal.any([task.signal, timeout.signal]),
  }
  try {
    const outcome = Promise.resolve(handler.handle(event, context))
    outcome.catch(() => undefined) // it may fail when nobody waits any more
    return await Promise.race([outcome, late.promise])
  } finally {
    clearTimeout(timer)
  }
}
