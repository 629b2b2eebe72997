import { setTimeout as delay } from 'node:timers/promises'

/** A value that is asked for over and over; while its source does not answer it is unknown, never old. */
export type Polled<T> = { current(): T | undefined; readonly ended: Promise<void> }

/** Asks again `everyMs` after each answer, until `signal` is aborted. */
export function polled<T>(ask: () => Promise<T>, everyMs: number, signal: AbortSignal): Polled<T> {
  let value: T | undefined
  const run = async (): Promise<void> => {
    while (!signal.aborted) {
      value = await ask().catch(() => undefined)
      await delay(everyMs, undefined, { signal }).catch(() => undefined)
    }
  }
  return { current: () => value, ended: run() }
}
