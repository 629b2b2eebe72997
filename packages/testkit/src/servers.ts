import { layoutOf } from '@millrace/stack/layout'
import { readRecord } from '@millrace/stack/run-folder'
import { vi } from 'vitest'

const backTimeoutMs = 90_000

/** The process of a server of the running stack. */
export async function pidOf(stateDirectory: string, name: string): Promise<number> {
  const pid = (await serviceOf(stateDirectory, name))?.pid
  if (typeof pid === 'number') return pid
  throw new Error(`${name} does not run`)
}

/** Ends a server's process; the stack starts it again. Resolves when the next one serves, and what it ran before is restored. */
export async function restartServer(
  stateDirectory: string,
  name: string,
  signal: 'SIGTERM' | 'SIGKILL',
  timeoutMs = backTimeoutMs,
): Promise<void> {
  const pid = await pidOf(stateDirectory, name)
  process.kill(pid, signal)
  await vi.waitUntil(
    async () => {
      const service = await serviceOf(stateDirectory, name)
      return service?.state === 'running' && service.pid !== pid
    },
    { timeout: timeoutMs, interval: 100 },
  )
}

async function serviceOf(stateDirectory: string, name: string) {
  const record = await readRecord(layoutOf(stateDirectory))
  return record?.services.find((service) => service.name === name)
}
