import { setTimeout as delay } from 'node:timers/promises'

/** How far a sender may fall behind its rate and still catch up: after a longer stall it goes on at its rate. */
const debtMaxMs = 1_000

/**
 * Holds a sender to a rate.
 * @returns a function that resolves when `events` more may be sent; at once where there is no rate.
 */
export function pacer(
  eventsPerSecond: number | undefined,
  now: () => number = () => performance.now(),
): (events: number, signal?: AbortSignal) => Promise<void> {
  let dueMs = now()
  return async (events, signal) => {
    if (eventsPerSecond === undefined) return
    dueMs = Math.max(dueMs, now() - debtMaxMs)
    const waitMs = dueMs - now()
    dueMs += (events * 1_000) / eventsPerSecond
    if (waitMs > 0) await delay(waitMs, undefined, signal && { signal }).catch(ignoreAbort)
  }
}

function ignoreAbort(error: unknown): void {
  if (!(error instanceof Error && error.name === 'AbortError')) throw error
}

/** A call, since the state of a signal changes while others run. */
export function isAborted(signal: AbortSignal): boolean {
  return signal.aborted
}
