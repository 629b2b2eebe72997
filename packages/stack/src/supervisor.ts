/**
 * Runs one server process: starts it, waits until it serves, starts it again with backoff when it dies, stops it.
 * Processes get a group of their own, so that Ctrl-C in the terminal reaches only us and the order of the stop is ours.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { open, readFile, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { MillraceError } from '@millrace/core/errors'
import type { Layout } from './layout.ts'
import { requireFreePort } from './ports.ts'
import { identify, type ProcessIdentity } from './process-identity.ts'
import type { ServerSpec, ServerState, ServerStatus } from './server.ts'
import { waitUntil } from './wait.ts'

export type Supervised = {
  readonly spec: ServerSpec
  start(): Promise<void>
  stop(): Promise<void>
  status(): ServerStatus
  identity(): ProcessIdentity | undefined
}

export type SupervisorEvents = {
  /** A server changed its state; `detail` is a sentence where there is something to say. */
  changed(status: ServerStatus, detail?: string): void
}

const backoffMs = { first: 500, max: 15_000 } as const
/** A server that has run this long is taken to be well again: its next crash is restarted at once. */
const calmMs = 30_000
const logTailLines = 12

export function supervise(spec: ServerSpec, layout: Layout, events: SupervisorEvents): Supervised {
  const logFile = join(layout.logs, `${spec.name}.log`)
  const stopping = new AbortController()
  let state: ServerState = 'waiting'
  let child: ChildProcess | undefined
  let identity: ProcessIdentity | undefined
  let restarts = 0
  let watching: Promise<void> = Promise.resolve()

  const status = (): ServerStatus => ({ name: spec.name, state, address: spec.address, pid: identity?.pid, restarts })
  const enter = (next: ServerState, detail?: string) => {
    state = next
    events.changed(status(), detail)
  }

  async function launch(): Promise<ChildProcess> {
    for (const port of spec.ports) await requireFreePort(port, spec.name)
    await spec.prepare?.()
    const log = await open(logFile, 'a', 0o600)
    const { file, arguments: words, environment } = spec.command
    const started = spawn(file, words, {
      cwd: layout.run,
      env: { HOME: layout.temporary, LANG: 'C.UTF-8', TZ: 'UTC', PATH: '/usr/local/bin:/usr/bin:/bin', ...environment },
      detached: true,
      stdio: ['ignore', log.fd, log.fd],
    })
    child = started
    try {
      await once(started, 'spawn')
    } finally {
      await log.close()
    }
    identity = started.pid === undefined ? undefined : await identify(started.pid)
    return started
  }

  async function awaitReady(started: ChildProcess): Promise<void> {
    const ended = new AbortController()
    const onExit = () => ended.abort(new MillraceError('stack.failed', `${spec.name} ended (${exitOf(started)})`))
    started.once('exit', onExit)
    if (hasEnded(started)) onExit()
    try {
      await waitUntil(spec.name, spec.readyTimeoutMs, spec.probe, AbortSignal.any([ended.signal, stopping.signal]))
    } catch (cause) {
      throw new MillraceError('stack.failed', `${messageOf(cause)}; its log: ${logFile}\n${await tail(logFile)}`, {
        cause,
      })
    } finally {
      started.off('exit', onExit)
    }
  }

  async function end(process: ChildProcess): Promise<void> {
    if (hasEnded(process)) return
    const exit = once(process, 'exit')
    process.kill('SIGTERM')
    const kill = setTimeout(() => process.kill('SIGKILL'), spec.stopTimeoutMs)
    await exit
    clearTimeout(kill)
  }

  async function keepRunning(first: ChildProcess): Promise<void> {
    let current = first
    let delayMs: number = backoffMs.first
    for (;;) {
      const since = performance.now()
      if (!hasEnded(current)) await once(current, 'exit')
      if (stopping.signal.aborted) return
      if (performance.now() - since > calmMs) delayMs = backoffMs.first
      restarts += 1
      enter('restarting', `${spec.name} died (${exitOf(current)}); starting it again in ${delayMs / 1000} s`)
      await sleep(delayMs, undefined, { signal: stopping.signal }).catch(() => undefined)
      delayMs = Math.min(delayMs * 2, backoffMs.max)
      current = await relaunch(current)
    }
  }

  async function relaunch(previous: ChildProcess): Promise<ChildProcess> {
    if (stopping.signal.aborted) return previous
    try {
      const started = await launch()
      await awaitReady(started)
      await spec.restored?.()
      enter('running', `${spec.name} is back`)
      return started
    } catch (error) {
      if (!stopping.signal.aborted) enter('failed', messageOf(error))
      const failed = child ?? previous
      await end(failed)
      return failed
    }
  }

  return {
    spec,
    status,
    identity: () => identity,
    async start() {
      enter('starting')
      await rename(logFile, `${logFile}.1`).catch(() => undefined) // one earlier run's log is kept
      try {
        const started = await launch()
        await awaitReady(started)
        enter('running')
        watching = keepRunning(started)
      } catch (error) {
        enter('failed', messageOf(error))
        if (child) await end(child)
        throw error
      }
    },
    async stop() {
      stopping.abort(new MillraceError('stack.failed', `${spec.name} is being stopped`))
      if (state === 'waiting') return
      enter('stopping')
      if (child) await end(child)
      await watching
      if (child) await end(child) // a restart may have been under way
      identity = undefined
      enter('stopped')
    },
  }
}

function hasEnded(process: ChildProcess): boolean {
  return process.exitCode !== null || process.signalCode !== null
}

function exitOf(process: ChildProcess): string {
  return process.signalCode ?? `exit code ${process.exitCode}`
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

async function tail(file: string): Promise<string> {
  const text = await readFile(file, 'utf8').catch(() => '')
  return text.trimEnd().split('\n').slice(-logTailLines).join('\n')
}
