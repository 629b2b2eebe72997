import { MillraceError } from '@millrace/core/errors'
import type { Installation, InstallationOptions } from './installation.ts'
import { openStack } from './open-stack.ts'
import { progress } from './progress.ts'
import type { Stack } from './stack.ts'

export type RunningStack = { readonly installation: Installation; readonly stack: Stack; readonly signal: AbortSignal }

/**
 * Starts the platform, does `work` with it and stops it again: when the work is done, fails, or a signal comes (`signal` is aborted then).
 * Progress and what goes wrong are told on standard error.
 * @returns what the work returned; `undefined` when a signal came before it began
 * @throws MillraceError with the first failure of the start, or what the work threw
 */
export async function runStack<T>(
  options: InstallationOptions,
  work: (running: RunningStack) => Promise<T>,
): Promise<T | undefined> {
  const stopping = new AbortController()
  const onSignal = () => stopping.abort(new MillraceError('stack.failed', 'interrupted'))
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, onSignal)
  const write = (line: string) => process.stderr.write(`${line}\n`)
  const say = progress(write)
  const { installation, stack } = await openStack(options, say)
  try {
    await stack.start(stopping.signal)
    say.ready()
    return await work({ installation, stack, signal: stopping.signal })
  } catch (error) {
    if (stopping.signal.aborted) return undefined
    throw error
  } finally {
    write('stopping …')
    await stack.stop()
    write('everything is stopped')
  }
}
