/** Workers of a drill's own, as processes: they run the handler of `handled-platform.ts`. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { handlerGroup } from '@millrace/core/handler'
import { openAdmin } from '@millrace/kafka/admin'
import type { Installation } from '@millrace/stack/installation'
import { projectDirectory } from '@millrace/stack/layout'
import { registryUrl } from '@millrace/stack/servers/registry'
import { waitUntil } from '@millrace/stack/wait'
import { handlerOf } from './handled-platform.ts'

export type Workers = {
  /** Of those that run. */
  readonly names: () => string[]
  /** Starts one; under a name that it had before it takes that one's place. */
  readonly start: (name: string) => Promise<void>
  readonly pid: (name: string) => number | undefined
  /** Resolves when it is gone. */
  readonly end: (name: string, signal: 'SIGKILL' | 'SIGTERM') => Promise<void>
  /**
   * Resolves when everything that was sent has been handled.
   * @throws MillraceError 'stack.failed' when that takes too long
   */
  readonly done: () => Promise<void>
  readonly close: () => Promise<void>
}

export type WorkersOptions = {
  readonly installation: Installation
  readonly eventType: string
  /** For their settings and logs. */
  readonly directory: string
  readonly signal: AbortSignal
}

const user = 'admin'
const doneDeadlineMs = 120_000
const stopMs = 30_000
const main = join(projectDirectory, 'apps/worker/src/main.ts')

export function openWorkers(options: WorkersOptions): Workers {
  const running = new Map<string, ChildProcess>()
  const end: Workers['end'] = async (name, signal) => {
    const worker = running.get(name)
    if (!worker) return
    running.delete(name)
    if (worker.exitCode !== null || worker.signalCode !== null) return
    const ended = once(worker, 'exit')
    worker.kill(signal)
    await ended
  }
  return {
    names: () => [...running.keys()],
    pid: (name) => running.get(name)?.pid,
    start: async (name) => {
      running.set(name, await started(name, options))
    },
    end,
    done: () => allDone(options),
    close: async () => {
      const stopped = Promise.all([...running.keys()].map((name) => end(name, 'SIGTERM')))
      await Promise.race([stopped, delay(stopMs, undefined, { ref: false })])
      for (const worker of running.values()) worker.kill('SIGKILL')
    },
  }
}

async function started(name: string, options: WorkersOptions): Promise<ChildProcess> {
  const config = join(options.directory, `${name}.json`)
  await writeFile(config, JSON.stringify(await settings(name, options)), { mode: 0o600 })
  const log = openSync(join(options.directory, `${name}.log`), 'a', 0o600)
  const worker = spawn(process.execPath, [main, '--config', config], { stdio: ['ignore', log, log] })
  closeSync(log)
  await once(worker, 'spawn')
  return worker
}

async function settings(instance: string, { installation, eventType, directory }: WorkersOptions) {
  const { secrets, certificates, bootstrapServers } = installation
  const { caFile } = certificates
  const definitionFile = join(directory, 'definition.mjs')
  const platform = new URL('./handled-platform.ts', import.meta.url).href
  await writeFile(
    definitionFile,
    `import handledPlatform from '${platform}'\nexport default handledPlatform(${JSON.stringify(eventType)})\n`,
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

/** Nobody but gateways writes to the topic, without transactions: what is committed is its end when everything is done. */
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
