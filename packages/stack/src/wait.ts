import { setTimeout as sleep } from 'node:timers/promises'
import { MillraceError } from '@millrace/core/errors'

const probeTimeoutMs = 5_000
const pauseMs = 100

/**
 * Asks until the answer is yes.
 * @throws MillraceError `stack.failed` naming what was waited for, when `timeoutMs` has passed.
 */
export async function waitUntil(
  what: string,
  timeoutMs: number,
  probe: (signal: AbortSignal) => Promise<boolean>,
  abort?: AbortSignal,
): Promise<void> {
  const deadline = performance.now() + timeoutMs
  let last: unknown
  while (performance.now() < deadline) {
    abort?.throwIfAborted()
    try {
      if (await probe(AbortSignal.timeout(probeTimeoutMs))) return
    } catch (error) {
      last = error
    }
    await sleep(pauseMs)
  }
  throw new MillraceError('stack.failed', `${what} was not ready within ${Math.round(timeoutMs / 1000)} s`, {
    cause: last,
  })
}
