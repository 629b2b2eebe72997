import { setTimeout as delay } from 'node:timers/promises'
import { MillraceError } from '@millrace/core/errors'

const pollMs = 50
/** So that a busy server is not taken for a silent one when it is asked shortly before the deadline. */
const questionMinMs = 1_000

/**
 * Asks at least once, then again and again until there is an answer. `ask` is told how much time it has, so that no question
 * outlasts the deadline by more than a second.
 * @throws MillraceError `flink.unavailable` naming what was waited for, when the time is over.
 */
export async function poll<T>(
  what: string,
  timeoutMs: number,
  ask: (leftMs: number) => Promise<T | undefined>,
): Promise<T> {
  const deadline = performance.now() + timeoutMs
  for (;;) {
    const answer = await ask(Math.max(deadline - performance.now(), questionMinMs))
    if (answer !== undefined) return answer
    if (performance.now() >= deadline) {
      throw new MillraceError('flink.unavailable', `Flink took longer than ${timeoutMs} ms ${what}`)
    }
    await delay(pollMs)
  }
}
