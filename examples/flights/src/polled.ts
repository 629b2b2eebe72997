import { setTimeout as delay } from 'node:timers/promises'
import { MillraceError } from '@millrace/core/errors'

/** A value that is asked for over and over; while its source does not answer it is unknown, never old. */
export type Polled<T> = {
  current(): T | undefined
  /** Rejects when asking failed with anything but a MillraceError: that is a defect, and nothing was asked after it. */
  readonly ended: Promise<void>
}

/** Asks again `everyMs` after each answer, until `signal` is aborted. */
export function polled<T>(ask: () => Promise<T>, everyMs: number, signal: AbortSignal): Polled<T> {
  let value: T | undefined
  const run = async (): Promise<void> => {
    while (!signal.aborted) {
      value = await ask().catch(unknownUnlessDefect)
      await delay(everyMs, undefined, { signal }).catch(() => undefined)
    }
  }
  const ended = run()
  // Handled here too, for a rejection that nobody awaits yet would end the process before the platform is stopped.
  ended.catch(() => (value = undefined))
  return { current: () => value, ended }
}

function unknownUnlessDefect(error: unknown): undefined {
  if (!(error instanceof MillraceError)) throw error
}
