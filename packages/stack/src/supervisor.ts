/** Keeps one server running: starts it, starts it again with backoff when it dies, stops it. */
import { rename } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { MillraceError } from '@millrace/core/errors'
import { howItEnded } from './failed-server.ts'
import { untilLetGo } from './hold.ts'
import type { Layout } from './layout.ts'
import type { ProcessIdentity } from './process-identity.ts'
import { logFileOf, messageOf, type ServerProcess, startProcess } from './server-process.ts'
import type { ServerSpec, ServerState, ServerStatus } from './server.ts'

export type Supervised = {
  readonly spec: ServerSpec
  start(): Promise<void>
  stop(): Promise<void>
  status(): ServerStatus
  identity(): ProcessIdentity | undefined
}

/** Told of every change of state; `detail` is a sentence where there is something to say. */
export type OnChange = (status: ServerStatus, detail?: string) => void

const backoffMs = { first: 500, max: 15_000 } as const
/** A server that has run this long is taken to be well again: its next crash is restarted at once. */
const calmMs = 30_000

export function supervise(spec: ServerSpec, layout: Layout, onChange: OnChange): Supervised {
  const stopping = new AbortController()
  let state: ServerState = 'waiting'
  let running: ServerProcess | undefined
  let restarts = 0
  let starting: Promise<void> = Promise.resolve()
  let watching: Promise<void> = Promise.resolve()

  const status = (): ServerStatus => ({
    name: spec.name,
    state,
    address: spec.address,
    pid: running?.identity.pid,
    restarts,
  })
  const enter = (next: ServerState, detail?: string) => {
    state = next
    onChange(status(), detail)
  }
  const isStopping = () => stopping.signal.aborted

  async function startFirst(): Promise<void> {
    stopping.signal.throwIfAborted()
    enter('starting')
    await keepEarlierLog(logFileOf(layout, spec.name))
    try {
      running = await startProcess(spec, layout, stopping.signal)
      stopping.signal.throwIfAborted() // `stop` then ends what was started
      enter('running')
      watching = keepRunning()
    } catch (error) {
      if (!isStopping()) enter('failed', messageOf(error))
      throw error
    }
  }

  async function keepRunning(): Promise<void> {
    let delayMs: number = backoffMs.first
    while (!isStopping()) {
      const since = performance.now()
      const how = await howItEnded(spec, running, stopping.signal)
      if (isStopping()) return
      running = undefined
      if (performance.now() - since > calmMs) delayMs = backoffMs.first
      restarts += 1
      enter('restarting', `${spec.name} died (${how}); starting it again in ${delayMs / 1000} s`)
      await restartTime(layout, spec.name, delayMs, stopping.signal)
      delayMs = Math.min(delayMs * 2, backoffMs.max)
      await startAgain()
    }
  }

  async function startAgain(): Promise<void> {
    if (isStopping()) return
    try {
      running = await startProcess(spec, layout, stopping.signal)
      stopping.signal.throwIfAborted()
      await spec.restored?.()
      stopping.signal.throwIfAborted()
      enter('running', `${spec.name} is back`)
    } catch (error) {
      if (!isStopping()) enter('failed', messageOf(error))
      await running?.end() // what could not be restored is no use running: the next start tries again
      running = undefined
    }
  }

  return {
    spec,
    status,
    identity: () => running?.identity,
    start: () => (starting = startFirst()),
    async stop() {
      stopping.abort(new MillraceError('stack.failed', `${spec.name} is being stopped`))
      if (state === 'waiting') return
      enter('stopping')
      await starting.catch(() => undefined) // told by `start`
      await running?.end()
      await watching
      await running?.end() // a restart may have been under way
      running = undefined
      enter('stopped')
    },
  }
}

/** Resolves when a server that died may start again, or `signal` is aborted. */
async function restartTime(layout: Layout, name: string, delayMs: number, signal: AbortSignal): Promise<void> {
  await sleep(delayMs, undefined, { signal }).catch(() => undefined)
  await untilLetGo(layout, name, signal)
}

/** The log of one earlier run is kept. */
async function keepEarlierLog(logFile: string): Promise<void> {
  await rename(logFile, `${logFile}.1`).catch(() => undefined)
}
