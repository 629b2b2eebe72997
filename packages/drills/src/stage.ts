/** What a fault can be made of: the processes of a running stack. */
import { setTimeout as delay } from 'node:timers/promises'
import { MillraceError } from '@millrace/core/errors'
import { brokerName } from '@millrace/stack/broker-name'
import { hold, letGo } from '@millrace/stack/hold'
import type { Installation } from '@millrace/stack/installation'
import { isAlive, type ProcessIdentity } from '@millrace/stack/process-identity'
import { readRecord } from '@millrace/stack/run-folder'
import { waitUntil } from '@millrace/stack/wait'
import type { KeyedLoad } from './keyed-load.ts'
import type { Workers } from './workers.ts'

/** The processes of a stack, whoever sends meanwhile. */
export type Ground = {
  readonly installation: Installation
  /** Aborted when the drill is broken off: every wait of this ends then. */
  readonly signal: AbortSignal
  /** Names of the services that begin with this: `kafka-` for all brokers. */
  readonly named: (prefix: string) => Promise<string[]>
  readonly identityOf: (name: string) => Promise<ProcessIdentity>
  /** Ends a process as a crash would, and resolves when the stack has it running again. */
  readonly kill: (name: string) => Promise<void>
  /** The same in two steps: resolves when the process is gone, with what waits until the stack has it running again. */
  readonly end: (name: string, signal: 'SIGKILL' | 'SIGTERM') => Promise<() => Promise<void>>
  /** While `during` runs the stack does not start these again when they end. */
  readonly heldDown: (names: readonly string[], during: () => Promise<void>) => Promise<void>
  /** Stops processes for a while, as a frozen machine would; all the rest of the time they run. */
  readonly pause: (names: readonly string[], forMs: number) => Promise<void>
  /** The brokers, that which leads the most partitions first. */
  readonly brokersByLeadership: () => Promise<string[]>
  /** The broker that is the active controller. */
  readonly controller: () => Promise<string>
  /** Resolves when every broker answers and takes part, and every partition has all of its replicas in sync. */
  readonly brokersReady: () => Promise<void>
  readonly wait: (ms: number) => Promise<void>
}

/** What a drill has besides. */
type Drilled = {
  /** What is sent meanwhile. */
  readonly load: KeyedLoad
  /** Those that handle what is sent; none where the drill asks for none. */
  readonly workers: Workers
  /** The number that decides where a fault is a matter of chance; it is in the report. */
  readonly seed: number
  readonly note: (line: string) => void
  /** Recovery counts from now, and not from the end of the fault: what follows is recovery too. The last call counts. */
  readonly over: () => void
  /** Others lead all that a lost broker led: that much of the recovery is Kafka's. */
  readonly failedOver: () => void
}

export type Stage = Ground & Drilled
export type GroundParts = Pick<Ground, 'installation' | 'signal'>

const backDeadlineMs = 180_000
/** A JVM that writes its class-data archive when it is told to stop takes up to 75 s. */
const endDeadlineMs = 90_000
const underReplicated = 'kafka_server_replicamanager_underreplicatedpartitions'
const metricsTimeoutMs = 5_000
/** A broker on a busy machine does not always answer the first time it is asked. */
const metricsDeadlineMs = 60_000

/** Opens the stage on a running stack. */
export function openStage({ installation, signal, ...drilled }: GroundParts & Drilled): Stage {
  return { ...openGround({ installation, signal }), ...drilled }
}

/** Opens the processes of a running stack. What is paused or held runs again when `signal` is aborted. */
export function openGround({ installation, signal }: GroundParts): Ground {
  const { layout } = installation
  const services = async () => (await readRecord(layout))?.services ?? []
  const identityOf = async (name: string): Promise<ProcessIdentity> => {
    const found = (await services()).find((one) => one.name === name)
    const identity = found?.pid && found.startedAt ? { pid: found.pid, startedAt: found.startedAt } : undefined
    if (identity && (await isAlive(identity))) return identity
    throw new MillraceError('stack.failed', `${name} does not run: start the stack with "npx millrace up"`)
  }
  const end: Ground['end'] = async (name, how) => {
    const ended = await identityOf(name)
    process.kill(ended.pid, how)
    await waitUntil(`the end of ${name}`, endDeadlineMs, async () => !(await isAlive(ended)), signal)
    const isBack = async () =>
      (await services()).some((one) => one.name === name && one.state === 'running' && one.pid !== ended.pid)
    return () => waitUntil(name, backDeadlineMs, isBack, signal)
  }
  return {
    ...{ installation, signal },
    ...brokerFacts(installation, signal),
    identityOf,
    end,
    named: async (prefix) => (await services()).map(({ name }) => name).filter((name) => name.startsWith(prefix)),
    kill: async (name) => {
      const back = await end(name, 'SIGKILL')
      await back()
    },
    heldDown: async (names, during) => {
      try {
        for (const name of names) await hold(layout, name)
        await during()
      } finally {
        for (const name of names) await letGo(layout, name)
      }
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
    brokersReady: () => waitUntil('a broker', backDeadlineMs, () => allReady(installation), signal),
    wait: async (ms) => {
      await delay(ms, undefined, { signal })
    },
  }
}

/** A process that is gone needs it no more, and nobody else's has its number by now. */
async function goOn(identity: ProcessIdentity): Promise<void> {
  if (await isAlive(identity)) process.kill(identity.pid, 'SIGCONT')
}

async function allReady(installation: Installation): Promise<boolean> {
  const ready = await Promise.all(installation.brokerNodes.map((node) => installation.isBrokerReady(node)))
  if (!ready.every(Boolean)) return false
  const ports = installation.brokerNodes.map((node) => installation.ports.kafkaMetrics(node))
  const lagging = await Promise.all(ports.map((port) => gaugeOf(port, underReplicated)))
  return lagging.every((partitions) => partitions === 0)
}

/** What the brokers say of themselves in their metrics. */
function brokerFacts(
  { brokerNodes, ports }: Installation,
  signal: AbortSignal,
): Pick<Ground, 'brokersByLeadership' | 'controller'> {
  const brokersBy = async (metric: string): Promise<string[]> => {
    let values: number[] = []
    const isTold = async () => {
      values = await Promise.all(brokerNodes.map((node) => gaugeOf(ports.kafkaMetrics(node), metric)))
      return true
    }
    await waitUntil('the metrics of the brokers', metricsDeadlineMs, isTold, signal)
    const brokers = brokerNodes.map((node, index) => ({ name: brokerName(node), value: values[index] ?? 0 }))
    return brokers.sort((one, other) => other.value - one.value).map(({ name }) => name)
  }
  return {
    brokersByLeadership: () => brokersBy('kafka_server_replicamanager_leadercount'),
    controller: async () => {
      const [first = ''] = await brokersBy('kafka_controller_kafkacontroller_activecontrollercount')
      return first
    },
  }
}

async function gaugeOf(port: number, name: string): Promise<number> {
  const url = `http://127.0.0.1:${port}/metrics`
  const answer = await fetch(url, { signal: AbortSignal.timeout(metricsTimeoutMs) })
  const value = new RegExp(`^${name} ([\\d.E]+)$`, 'm').exec(await answer.text())?.[1]
  if (value === undefined) throw new MillraceError('stack.failed', `${url} does not tell ${name}`)
  return Number(value)
}
