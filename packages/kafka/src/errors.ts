import { type ErrorCode, MillraceError } from '@millrace/core/errors'
import { GenericError, MultipleErrors } from '@platformatic/kafka'
import { unfitErrors } from './produce-verdict.ts'

/** Turns what the Kafka client throws into an error of the platform's list. `what` says what was being done. */
export function kafkaError(error: unknown, what: string): MillraceError {
  if (error instanceof MillraceError) return error
  const parts = errorTree(error)
  const detail = parts.map(sentenceOf).findLast((sentence) => sentence !== '') ?? String(error)
  return new MillraceError(codeOf(parts), `${what}: ${detail}`, { cause: error })
}

/** The names of the protocol errors in it, as Kafka's documentation lists them: `TOPIC_AUTHORIZATION_FAILED`. */
export function protocolErrors(error: unknown): Set<string> {
  return new Set(errorTree(error).flatMap((part) => propertyText(part, 'apiId') ?? []))
}

function codeOf(parts: readonly Error[]): ErrorCode {
  const ids = new Set(parts.flatMap((part) => propertyText(part, 'apiId') ?? []))
  if (ids.has('UNKNOWN_TOPIC_OR_PARTITION') || parts.some((part) => part.message.startsWith('Unknown topic'))) {
    return 'kafka.unknown-topic'
  }
  if (unfitErrors.some((id) => ids.has(id))) return 'kafka.unfit'
  if (parts.some((part) => propertyText(part, 'code') === 'PLT_KFK_AUTHENTICATION')) return 'kafka.refused'
  const refused = parts.some(
    (part) => propertyText(part, 'apiId') !== undefined && propertyOf(part, 'canRetry') === false,
  )
  return refused ? 'kafka.refused' : 'kafka.unavailable'
}

/** The error, its causes and the errors it gathers, outermost first. */
function errorTree(error: unknown): Error[] {
  if (!(error instanceof Error)) return []
  const gathered = error instanceof AggregateError ? error.errors : []
  return [error, ...errorTree(error.cause), ...gathered.flatMap(errorTree)]
}

/** What the broker itself said, where it said something; the client's own words for a code are generic. */
function sentenceOf(error: Error): string {
  return propertyText(error, 'serverErrorMessage') ?? error.message
}

function propertyText(error: Error, name: string): string | undefined {
  const value = propertyOf(error, name)
  return typeof value === 'string' ? value : undefined
}

function propertyOf(error: Error, name: string): unknown {
  return error instanceof GenericError || error instanceof MultipleErrors ? Reflect.get(error, name) : undefined
}
