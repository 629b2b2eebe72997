import { setTimeout as sleep } from 'node:timers/promises'
import { MillraceError } from '@millrace/core/errors'

const probeTimeoutMs = 5_000
const pauseMs = 100

/**
 * Asks until the answer is yes.
 * @throws MillraceError `stack.failed` naming what was waited for, when `timeoutMs` has passed; the reason of `abort`, when that is aborted.
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
    const timeout = AbortSignal.timeout(probeTimeoutMs)
    const ready = await probe(abort ? AbortSignal.any([timeout, abort]) : timeout).catch((error: unknown) => {
      last = error
      return false
    })
    abort?.throwIfAborted() // a yes may come too late
    if (ready) return
    await sleep(pauseMs)
  }
  throw new MillraceError('stack.failed', `${what} was not ready within ${Math.round(timeoutMs / 1000)} s`, {
    cause: last,
  })
}
