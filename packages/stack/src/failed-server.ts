/** A server whose process runs may have failed for good all the same. What says so of itself is ended, and so started again. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { ServerProcess } from './server-process.ts'
import type { ServerSpec } from './server.ts'

const intervalMs = 3_000
const askTimeoutMs = 2_000

/**
 * Resolves when a server has ended, saying how; one that says that it has failed is ended.
 * @param stopping when aborted, it is ended by others
 */
export async function howItEnded(
  { hasFailed }: ServerSpec,
  running: ServerProcess | undefined,
  stopping: AbortSignal,
): Promise<string> {
  if (!running) return 'it did not start'
  const saidSo = hasFailed ? whenFailed(hasFailed, running, stopping) : Promise.resolve(false)
  const how = await running.ended
  return (await saidSo) ? 'it said that it had failed' : how
}

async function whenFailed(
  hasFailed: NonNullable<ServerSpec['hasFailed']>,
  running: ServerProcess,
  stopping: AbortSignal,
): Promise<boolean> {
  const ended = new AbortController()
  void running.ended.then(() => ended.abort())
  const over = AbortSignal.any([stopping, ended.signal])
  // Who does not answer may be busy.
  const ask = () => hasFailed(AbortSignal.any([over, AbortSignal.timeout(askTimeoutMs)])).catch(() => false)
  let failed = false
  while (!failed && !isAborted(over)) {
    await sleep(intervalMs, undefined, { signal: over }).catch(() => undefined)
    failed = !isAborted(over) && (await ask()) && !isAborted(over)
  }
  if (failed) await running.end()
  return failed
}

/** A call, since the state of a signal changes while others run. */
function isAborted(signal: AbortSignal): boolean {
  return signal.aborted
}
