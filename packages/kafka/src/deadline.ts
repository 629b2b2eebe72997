import { MillraceError } from '@millrace/core/errors'
import { kafkaError } from './errors.ts'

/**
 * Waits for a request to Kafka, but not for ever.
 * @throws MillraceError 'kafka.unavailable' when the time is over; else what `kafkaError` makes of the failure.
 */
export async function within<T>(timeoutMs: number, what: string, request: Promise<T>): Promise<T> {
  const deadline = Promise.withResolvers<never>()
  const timer = setTimeout(() => {
    deadline.reject(new MillraceError('kafka.unavailable', `${what}: Kafka did not answer within ${timeoutMs} ms`))
  }, timeoutMs)
  try {
    return await Promise.race([request, deadline.promise])
  } catch (error) {
    throw kafkaError(error, what)
  } finally {
    clearTimeout(timer)
  }
}

/** @returns what a wait brings, or `undefined` as soon as `signal` is aborted */
export async function unlessAborted<T>(signal: AbortSignal, wait: Promise<T>): Promise<T | undefined> {
  const aborted = Promise.withResolvers<undefined>()
  const onAbort = () => aborted.resolve(undefined)
  signal.addEventListener('abort', onAbort)
  wait.catch(() => undefined) // it may fail when nobody waits any more
  try {
    return await Promise.race([wait, aborted.promise])
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}
