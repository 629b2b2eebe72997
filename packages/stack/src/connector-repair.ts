import { setTimeout as sleep } from 'node:timers/promises'
import type { ConnectClient } from '@millrace/connect/connect-client'

export type ConnectorRepair = { stop(): Promise<void> }

const lookMs = 5_000
const backoffMaxMs = 60_000

/**
 * Watches connectors: a task that failed stays failed, while its worker's process runs on as if nothing were. It is restarted, with
 * exponential backoff while it goes on failing, and told.
 */
export function repairConnectors(
  connect: Pick<ConnectClient, 'restartFailed'>,
  connectors: readonly string[],
  note: (sentence: string) => void,
  everyMs = lookMs,
): ConnectorRepair {
  const stopping = new AbortController()
  const watch = async (name: string): Promise<void> => {
    let waitMs = everyMs
    while (await sleep(waitMs, true, { signal: stopping.signal }).catch(() => false)) {
      // No answer: Connect itself is away, and whoever watches its process says so.
      const restarted = await connect.restartFailed(name).catch(() => 0)
      waitMs = restarted === 0 ? everyMs : Math.min(waitMs * 2, backoffMaxMs)
      if (restarted > 0) note(`${name} had failed: restarted, to be looked at again in ${waitMs / 1_000} s`)
    }
  }
  const watching = Promise.all(connectors.map(watch))
  return {
    stop: async () => {
      stopping.abort()
      await watching
    },
  }
}
