import { setTimeout as delay } from 'node:timers/promises'
import { MillraceError } from '@millrace/core/errors'

const pollMs = 50

/**
 * Asks again and again until there is an answer.
 * @throws MillraceError `flink.unavailable` naming what was waited for, when the time is over.
 */
export async function poll<T>(what: string, timeoutMs: number, ask: () => Promise<T | undefined>): Promise<T> {
  const deadline = performance.now() + timeoutMs
  for (;;) {
    const answer = await ask()
    if (answer !== undefined) return answer
    if (performance.now() >= deadline) {
      throw new MillraceError('flink.unavailable', `Flink took longer than ${timeoutMs} ms ${what}`)
    }
    await delay(pollMs)
  }
}
