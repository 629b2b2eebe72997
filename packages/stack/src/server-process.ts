/**
 * One run of a server's process. It gets a process group of its own, so that Ctrl-C in the terminal reaches only us and the order of
 * the stop is ours.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { open, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { MillraceError } from '@millrace/core/errors'
import type { Layout } from './layout.ts'
import { requireFreePort } from './ports.ts'
import { identify, type ProcessIdentity } from './process-identity.ts'
import type { ServerSpec } from './server.ts'
import { waitUntil } from './wait.ts'

export type ServerProcess = {
  readonly identity: ProcessIdentity
  /** Resolves when the process has ended, saying how. */
  readonly ended: Promise<string>
  /** SIGTERM, and SIGKILL when the server takes longer than it may. */
  end(): Promise<void>
}

const logTailLines = 12

export function logFileOf(layout: Layout, name: string): string {
  return join(layout.logs, `${name}.log`)
}

/**
 * Starts a server's process and waits until it serves.
 * @throws MillraceError `stack.failed` with the end of its log, when it ends or does not serve in time; it is ended then.
 */
export async function startProcess(spec: ServerSpec, layout: Layout, abort: AbortSignal): Promise<ServerProcess> {
  for (const port of spec.ports) await requireFreePort(port, spec.name)
  await spec.prepare?.()
  abort.throwIfAborted()
  const started = await launch(spec, layout)
  const ended = new AbortController()
  void started.ended.then((how) => ended.abort(new MillraceError('stack.failed', `${spec.name} ended (${how})`)))
  try {
    await waitUntil(spec.name, spec.readyTimeoutMs, spec.probe, AbortSignal.any([ended.signal, abort]))
    return started
  } catch (cause) {
    await started.end()
    const logFile = logFileOf(layout, spec.name)
    throw new MillraceError('stack.failed', `${messageOf(cause)}; its log: ${logFile}\n${await tail(logFile)}`, {
      cause,
    })
  }
}

async function launch(spec: ServerSpec, layout: Layout): Promise<ServerProcess> {
  const log = await open(logFileOf(layout, spec.name), 'a', 0o600)
  const { file, arguments: words, environment } = spec.command
  const child = spawn(file, words, {
    cwd: layout.run,
    env: { HOME: layout.temporary, LANG: 'C.UTF-8', TZ: 'UTC', PATH: '/usr/local/bin:/usr/bin:/bin', ...environment },
    detached: true,
    stdio: ['ignore', log.fd, log.fd],
  })
  const ended = endOf(child)
  try {
    await once(child, 'spawn')
  } catch (cause) {
    throw new MillraceError('stack.failed', `${spec.name} cannot be started: ${messageOf(cause)}`, { cause })
  } finally {
    await log.close()
  }
  const pid = child.pid ?? 0
  const identity = (await identify(pid)) ?? { pid, startedAt: 'ended' }
  return { identity, ended, end: () => end(child, ended, spec.stopTimeoutMs) }
}

function endOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    child.once('exit', (code, signal) => resolve(signal ?? `exit code ${code}`))
  })
}

async function end(child: ChildProcess, ended: Promise<string>, timeoutMs: number): Promise<void> {
  child.kill('SIGTERM')
  const kill = setTimeout(() => child.kill('SIGKILL'), timeoutMs)
  await ended
  clearTimeout(kill)
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

async function tail(file: string): Promise<string> {
  const text = await readFile(file, 'utf8').catch(() => '')
  return text.trimEnd().split('\n').slice(-logTailLines).join('\n')
}
