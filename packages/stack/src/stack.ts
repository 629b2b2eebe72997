/** The whole platform on one machine: starts its servers in order, watches them, stops them in reverse. */
import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Installation } from './installation.ts'
import { identify } from './process-identity.ts'
import { deleteRecord, endAll, leftovers, readRecord, type ServiceRecord, takeLock, writeRecord } from './run-folder.ts'
import type { ServerSpec, ServerStatus, TaskSpec } from './server.ts'
import { inDependencyOrder, runInOrder } from './start-order.ts'
import { supervise } from './supervisor.ts'

export type StackEvents = {
  /** A server or task changed its state; `tookMs` is set when it became ready. */
  changed(status: ServerStatus, detail: string | undefined): void
  task(name: string, state: 'running' | 'done' | 'failed'): void
  note(sentence: string): void
}

export type Stack = {
  /** @throws MillraceError with the first failure, after everything that had started was stopped again. */
  start(): Promise<void>
  stop(): Promise<void>
  services(): ServerStatus[]
}

export function createStack(
  installation: Installation,
  portBase: number,
  parts: readonly (ServerSpec | TaskSpec)[],
  events: StackEvents,
): Stack {
  const { layout } = installation
  const servers = parts
    .filter((part) => part.kind === 'server')
    .map((spec) =>
      supervise(spec, layout, {
        changed: (status, detail) => {
          events.changed(status, detail)
          void record()
        },
      }),
    )
  let ready = false
  let release: (() => Promise<void>) | undefined
  let writing = Promise.resolve()

  const services = () => servers.map((server) => server.status())

  /** One write at a time; what fails to be written is only told, for the servers run all the same. */
  function record(): Promise<void> {
    writing = writing
      .then(writeNow)
      .catch((error: unknown) => events.note(`the state was not written: ${String(error)}`))
    return writing
  }

  async function writeNow(): Promise<void> {
    const runner = await identify(process.pid)
    if (!runner || !release) return
    const records: ServiceRecord[] = servers.map((server) => {
      const { pid, ...status } = server.status()
      return { ...status, pid: pid ?? null, startedAt: server.identity()?.startedAt ?? null }
    })
    await writeRecord(layout, { runner, portBase, ready, services: records })
  }

  async function start(): Promise<void> {
    release = await takeLock(layout)
    await endLeftovers(installation, events)
    const steps = parts.map((part) => ({ name: part.name, dependsOn: part.dependsOn, run: () => startPart(part) }))
    try {
      await runInOrder(steps)
      ready = true
      await record()
    } catch (error) {
      await stop()
      throw error
    }
  }

  async function startPart(part: ServerSpec | TaskSpec): Promise<void> {
    if (part.kind === 'server') {
      await servers.find((server) => server.spec === part)?.start()
      return
    }
    events.task(part.name, 'running')
    try {
      await part.run()
      events.task(part.name, 'done')
    } catch (error) {
      events.task(part.name, 'failed')
      throw error
    }
  }

  /** In reverse order; servers between which nothing stands stop side by side. */
  async function stop(): Promise<void> {
    ready = false
    const stopped = new Map<string, Promise<void>>()
    for (const part of inDependencyOrder(parts).reverse()) {
      const after = parts.filter((other) => other.dependsOn.includes(part.name)).map((other) => stopped.get(other.name))
      const server = servers.find(({ spec }) => spec === part)
      stopped.set(
        part.name,
        Promise.all(after).then(() => server?.stop()),
      )
    }
    await Promise.all(stopped.values())
    await writing
    await deleteRecord(layout)
    await emptyDirectory(layout.temporary)
    await release?.()
    release = undefined
  }

  return { start, stop, services }
}

async function endLeftovers({ layout }: Installation, events: StackEvents): Promise<void> {
  const left = await leftovers(await readRecord(layout))
  if (left.length > 0) {
    events.note(
      `an earlier run was killed and left ${left.map(({ name }) => name).join(', ')} running: stopping them first`,
    )
    await endAll(left.map(({ identity }) => identity))
  }
  await deleteRecord(layout)
}

async function emptyDirectory(directory: string): Promise<void> {
  const names = await readdir(directory).catch(() => [])
  for (const name of names) await rm(join(directory, name), { recursive: true, force: true })
}
