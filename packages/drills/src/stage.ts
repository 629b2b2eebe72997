/** What a fault can be made of: the processes of a running stack. */
import { setTimeout as delay } from 'node:timers/promises'
import { MillraceError } from '@millrace/core/errors'
import type { Installation } from '@millrace/stack/installation'
import { isAlive } from '@millrace/stack/process-identity'
import { readRecord, type ServiceRecord } from '@millrace/stack/run-folder'

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

const pollMs = 100
const backDeadlineMs = 90_000

export function openStage(installation: Installation): Stage {
  const services = async () => (await readRecord(installation.layout))?.services ?? []
  const service = async (name: string): Promise<ServiceRecord & { pid: number; startedAt: string }> => {
    const found = (await services()).find((one) => one.name === name)
    if (!found?.pid || !found.startedAt) {
      throw new MillraceError('stack.failed', `${name} does not run: start the stack with "npx millrace up"`)
    }
    return { ...found, pid: found.pid, startedAt: found.startedAt }
  }
  const signal = async (name: string, what: NodeJS.Signals): Promise<number> => {
    const { pid, startedAt } = await service(name)
    // Nobody else's process has that number by now.
    if (await isAlive({ pid, startedAt })) process.kill(pid, what)
    return pid
  }
  const until = async (what: string, isDone: () => Promise<boolean>): Promise<void> => {
    const deadline = performance.now() + backDeadlineMs
    while (!(await isDone())) {
      if (performance.now() > deadline) {
        throw new MillraceError('stack.failed', `${what} did not come back within ${backDeadlineMs / 1_000} s`)
      }
      await delay(pollMs)
    }
  }
  return {
    named: async (prefix) => (await services()).map(({ name }) => name).filter((name) => name.startsWith(prefix)),
    kill: async (name) => {
      const killed = await signal(name, 'SIGKILL')
      await until(name, async () =>
        (await services()).some((one) => one.name === name && one.state === 'running' && one.pid !== killed),
      )
    },
    pause: async (names, forMs) => {
      await Promise.all(names.map((name) => signal(name, 'SIGSTOP')))
      try {
        await delay(forMs)
      } finally {
        await Promise.all(names.map((name) => signal(name, 'SIGCONT')))
      }
    },
    brokersReady: () =>
      until('a broker', async () =>
        (await Promise.all(installation.brokerNodes.map((node) => installation.isBrokerReady(node)))).every(Boolean),
      ),
    wait: async (ms) => {
      await delay(ms)
    },
  }
}
