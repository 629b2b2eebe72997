import { MillraceError } from '@millrace/core/errors'
import type { Stack } from '@millrace/stack/stack'

/** Starts the stack and stops it again, however the work ends; a signal ends the work. */
export async function whileRunning<T>(stack: Stack, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const stopping = new AbortController()
  const onSignal = () => stopping.abort(new MillraceError('stack.failed', 'interrupted'))
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(name, onSignal)
  try {
    await stack.start(stopping.signal)
    return await work(stopping.signal)
  } finally {
    await stack.stop()
  }
}
