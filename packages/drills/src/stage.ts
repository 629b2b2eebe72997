/** What a fault can be made of: the processes of a running stack. */
import { setTimeout as delay } from 'node:timers/promises'
import { MillraceError } from '@millrace/core/errors'
import type { Installation } from '@millrace/stack/installation'
import { isAlive, type ProcessIdentity } from '@millrace/stack/process-identity'
import { readRecord } from '@millrace/stack/run-folder'
import { waitUntil } from '@millrace/stack/wait'

export type Stage = {
  /** Names of the services that begin with this: `kafka-` for all brokers. */
  readonly named: (prefix: string) => Promise<string[]>
  /** Ends a process as a crash would, and resolves when the stack has it running again. */
  readonly kill: (name: string) => Promise<void>
  /** Stops processes for a while, as a frozen machine would; all the rest of the time they run. */
  readonly pause: (names: readonly string[], forMs: number) => Promise<void>
  /** Resolves when every broker answers and takes part. */
  readonly brokersReady: () => Promise<void>
  readonly wait: (ms: number) => Promise<void>
}

const backDeadlineMs = 90_000

/** @param signal ends every wait; what is paused runs again then */
export function openStage(installation: Installation, signal: AbortSignal): Stage {
  const services = async () => (await readRecord(installation.layout))?.services ?? []
  const identityOf = async (name: string): Promise<ProcessIdentity> => {
    const found = (await services()).find((one) => one.name === name)
    const identity = found?.pid && found.startedAt ? { pid: found.pid, startedAt: found.startedAt } : undefined
    if (identity && (await isAlive(identity))) return identity
    throw new MillraceError('stack.failed', `${name} does not run: start the stack with "npx millrace up"`)
  }
  return {
    named: async (prefix) => (await services()).map(({ name }) => name).filter((name) => name.startsWith(prefix)),
    kill: async (name) => {
      const killed = await identityOf(name)
      process.kill(killed.pid, 'SIGKILL')
      const isBack = async () =>
        (await services()).some((one) => one.name === name && one.state === 'running' && one.pid !== killed.pid)
      await waitUntil(name, backDeadlineMs, isBack, signal)
    },
    pause: async (names, forMs) => {
      const identities = await Promise.all(names.map(identityOf))
      try {
        for (const { pid } of identities) process.kill(pid, 'SIGSTOP')
        await delay(forMs, undefined, { signal })
      } finally {
        await Promise.allSettled(identities.map(goOn))
      }
    },
    brokersReady: () =>
      waitUntil(
        'a broker',
        backDeadlineMs,
        async () => {
          const ready = await Promise.all(installation.brokerNodes.map((node) => installation.isBrokerReady(node)))
          return ready.every(Boolean)
        },
        signal,
      ),
    wait: async (ms) => {
      await delay(ms, undefined, { signal })
    },
  }
}

/** A process that is gone needs it no more, and nobody else's has its number by now. */
async function goOn(identity: ProcessIdentity): Promise<void> {
  if (await isAlive(identity)) process.kill(identity.pid, 'SIGCONT')
}
