/** Workers of a drill's own, as processes: they run the handler of `handled-platform.ts`. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { MillraceError } from '@millrace/core/errors'
import { handlerGroup } from '@millrace/core/handler'
import { openAdmin } from '@millrace/kafka/admin'
import type { Installation } from '@millrace/stack/installation'
import { projectDirectory } from '@millrace/stack/layout'
import { registryUrl } from '@millrace/stack/servers/registry'
import { waitUntil } from '@millrace/stack/wait'
import { handlerOf, type Work } from './handled-platform.ts'

export type Workers = {
  /** Of those that run, the eldest first. */
  readonly names: () => string[]
  /** Starts one; under a name that it had before it takes that one's place. */
  readonly start: (name: string) => Promise<void>
  /**
   * Resolves when it says that it is ready, the first under its name; it takes part in its group some seconds later.
   * @throws MillraceError 'stack.failed' when that takes too long
   */
  readonly ready: (name: string) => Promise<void>
  readonly pid: (name: string) => number | undefined
  /** Resolves when it is gone, however long that takes. */
  readonly end: (name: string, signal: 'SIGKILL' | 'SIGTERM') => Promise<void>
  /** How many of the events that were sent have been handled. */
  readonly handled: () => Promise<number>
  /**
   * Resolves when everything that was sent has been handled.
   * @throws MillraceError 'stack.failed' when that takes too long
   */
  readonly done: () => Promise<void>
  /** Those that have ended without being told to, and how: `exit 1`, `SIGSEGV`. */
  readonly crashes: () => readonly Crash[]
  /** Ends all of them, those that still run after a while by SIGKILL: then none is left. */
  readonly close: (withinMs?: number) => Promise<void>
}

export type Crash = { readonly name: string; readonly how: string }

export type WorkersOptions = {
  readonly installation: Installation
  readonly eventType: string
  readonly work: Work
  /** For their settings and logs. */
  readonly directory: string
  readonly signal: AbortSignal
}

const user = 'admin'
const doneDeadlineMs = 120_000
const readyDeadlineMs = 120_000
const stopMs = 30_000
const main = join(projectDirectory, 'apps/worker/src/main.ts')

export function openWorkers(options: WorkersOptions): Workers {
  const running = new Map<string, ChildProcess>()
  /** Those that were told to end, or whose place another has. */
  const done = new WeakSet<ChildProcess>()
  const crashes: Crash[] = []
  const end: Workers['end'] = async (name, signal) => {
    const worker = running.get(name)
    if (!worker) return
    done.add(worker)
    const ended = once(worker, 'exit')
    worker.kill(signal)
    await ended
  }
  return {
    names: () => [...running.keys()],
    pid: (name) => running.get(name)?.pid,
    start: async (name) => {
      const former = running.get(name)
      if (former) done.add(former)
      const worker = await started(name, options)
      running.delete(name)
      running.set(name, worker)
      worker.once('exit', (code, signal) => {
        if (running.get(name) === worker) running.delete(name)
        if (!done.has(worker)) crashes.push({ name, how: signal ?? `exit ${code}` })
      })
    },
    ready: async (name) => {
      const isReady = async () => (await readFile(logOf(name, options), 'utf8')).includes('"msg":"ready"')
      await waitUntil(name, readyDeadlineMs, isReady, options.signal)
    },
    end,
    handled: () => handledBy(options),
    done: async () => {
      await allDone(options).catch((cause: unknown) => {
        const [crash] = crashes
        if (!crash) throw cause
        const log = join(options.directory, `${crash.name}.log`)
        throw new MillraceError('stack.failed', `${crash.name} ended by itself (${crash.how}): look at ${log}`, {
          cause,
        })
      })
    },
    crashes: () => crashes,
    close: async (withinMs = stopMs) => {
      const workers = [...running.values()]
      const stopped = Promise.all([...running.keys()].map((name) => end(name, 'SIGTERM')))
      await Promise.race([stopped, delay(withinMs, undefined, { ref: false })])
      for (const worker of workers) worker.kill('SIGKILL') // does nothing to one that has ended
      await stopped
    },
  }
}

function logOf(name: string, { directory }: WorkersOptions): string {
  return join(directory, `${name}.log`)
}

async function started(name: string, options: WorkersOptions): Promise<ChildProcess> {
  const config = join(options.directory, `${name}.json`)
  await writeFile(config, JSON.stringify(await settings(name, options)), { mode: 0o600 })
  const log = openSync(logOf(name, options), 'a', 0o600)
  const worker = spawn(process.execPath, [main, '--config', config], { stdio: ['ignore', log, log] })
  closeSync(log)
  await once(worker, 'spawn')
  return worker
}

async function settings(instance: string, { installation, eventType, directory, work }: WorkersOptions) {
  const { secrets, certificates, bootstrapServers } = installation
  const { caFile } = certificates
  const definitionFile = join(directory, 'definition.mjs')
  const platform = new URL('./handled-platform.ts', import.meta.url).href
  await writeFile(
    definitionFile,
    `import handledPlatform from '${platform}'\nexport default handledPlatform(${JSON.stringify(eventType)}, ${JSON.stringify(work)})\n`,
  )
  return {
    port: 0,
    definitionFile,
    instance,
    kafka: { bootstrapServers, caFile, username: user, password: secrets.kafkaPassword(user), clientId: instance },
    registry: {
      url: registryUrl(installation),
      caFile,
      username: 'reader',
      password: secrets.registryPassword('reader'),
    },
    sealingKeysFile: secrets.sealingKeysFile,
  }
}

/** Nobody writes to the topic in transactions: what is committed is its end when everything is done, and a sum of offsets counts events. */
async function allDone({ installation, eventType, signal }: WorkersOptions): Promise<void> {
  const admin = openAdmin(await installation.kafkaConnection(user))
  const group = handlerGroup(handlerOf(eventType))
  try {
    await waitUntil(
      'the workers to have handled everything',
      doneDeadlineMs,
      async () => {
        const [committed, ends] = await Promise.all([admin.committedOffsets(group), admin.endOffsets(eventType)])
        const offsets = committed.get(eventType)
        return [...ends].every(([partition, offset]) => (offsets?.get(partition) ?? 0n) >= offset)
      },
      signal,
    )
  } finally {
    await admin.close()
  }
}

async function handledBy({ installation, eventType }: WorkersOptions): Promise<number> {
  const admin = openAdmin(await installation.kafkaConnection(user))
  try {
    const committed = await admin.committedOffsets(handlerGroup(handlerOf(eventType)))
    const offsets = [...(committed.get(eventType)?.values() ?? [])]
    return Number(offsets.reduce((sum, offset) => sum + offset, 0n))
  } finally {
    await admin.close()
  }
}
