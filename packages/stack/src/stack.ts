/** The whole platform on one machine: starts its servers in order, watches them, stops them in reverse. */
import type { Installation } from './installation.ts'
import { identify } from './process-identity.ts'
import { clearRun, endAll, leftovers, readRecord, type ServiceRecord, takeLock, writeRecord } from './run-folder.ts'
import type { ServerSpec, ServerStatus, TaskSpec } from './server.ts'
import { runInOrder } from './start-order.ts'
import { supervise, type Supervised } from './supervisor.ts'

export type StackEvents = {
  /** A server changed its state; `detail` is a sentence where there is something to say. */
  changed(status: ServerStatus, detail: string | undefined): void
  task(name: string, state: 'running' | 'done' | 'failed'): void
  note(sentence: string): void
}

export type Stack = {
  /**
   * Starts everything. `signal` gives up half-way.
   * @throws MillraceError with the first failure, after everything that had started was stopped again.
   */
  start(signal: AbortSignal): Promise<void>
  /** Stops everything; calling it again waits for the same stop. */
  stop(): Promise<void>
  services(): ServerStatus[]
}

type Part = ServerSpec | TaskSpec

export function createStack(
  installation: Pick<Installation, 'layout'>,
  portBase: number,
  parts: readonly Part[],
  events: StackEvents,
): Stack {
  const { layout } = installation
  const state = { ready: false }
  const servers = parts
    .filter((part) => part.kind === 'server')
    .map((spec) =>
      supervise(spec, layout, (status, detail) => {
        events.changed(status, detail)
        record()
      }),
    )
  const recorder = createRecorder(installation, portBase, servers, state, events)
  const record = () => void recorder.write()
  let holdsLock = false
  let stopped: Promise<void> | undefined

  async function start(signal: AbortSignal): Promise<void> {
    await takeLock(layout)
    holdsLock = true
    await endLeftovers(installation, events)
    const giveUp = () => void stop().catch(() => undefined) // told below, where the same stop is awaited
    signal.addEventListener('abort', giveUp, { once: true })
    try {
      await runInOrder(
        parts.map((part) => ({ ...part, run: () => runPart(part, servers, events) })),
        signal,
      )
      signal.throwIfAborted()
      state.ready = true
      await recorder.write()
    } catch (error) {
      await stop()
      throw error
    } finally {
      signal.removeEventListener('abort', giveUp)
    }
  }

  async function stopAll(): Promise<void> {
    if (!holdsLock) return // never held the installation: what runs there is another's
    state.ready = false
    await stopInReverse(parts, servers)
    await recorder.end()
    await clearRun(layout)
  }

  const stop = () => (stopped ??= stopAll())
  return { start, stop, services: () => servers.map((server) => server.status()) }
}

async function runPart(part: Part, servers: readonly Supervised[], events: StackEvents): Promise<void> {
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

/** What nothing depends on, or uses, any more stops first; servers between which nothing stands stop side by side. */
async function stopInReverse(parts: readonly Part[], servers: readonly Supervised[]): Promise<void> {
  const stopping = new Map<Part, Promise<void>>()
  const stopWhenUnused = async (part: Part): Promise<void> => {
    const users = parts.filter((other) => other.dependsOn.includes(part.name) || usesOf(other).includes(part.name))
    await Promise.all(users.map(stop))
    await servers.find(({ spec }) => spec === part)?.stop()
  }
  const stop = (part: Part): Promise<void> => {
    const stopped = stopping.get(part) ?? stopWhenUnused(part)
    stopping.set(part, stopped)
    return stopped
  }
  await Promise.all(parts.map(stop))
}

function usesOf(part: Part): readonly string[] {
  return part.kind === 'server' ? (part.uses ?? []) : []
}

/** Writes the state to the run folder, one write at a time; what fails to be written is only told, for the servers run all the same. */
function createRecorder(
  { layout }: Pick<Installation, 'layout'>,
  portBase: number,
  servers: readonly Supervised[],
  state: { readonly ready: boolean },
  events: StackEvents,
) {
  let writing = Promise.resolve()
  let ended = false

  async function writeNow(): Promise<void> {
    const runner = await identify(process.pid)
    if (!runner || ended) return
    const services: ServiceRecord[] = servers.map((server) => {
      const { pid, ...status } = server.status()
      return { ...status, pid: pid ?? null, startedAt: server.identity()?.startedAt ?? null }
    })
    await writeRecord(layout, { runner, portBase, ready: state.ready, services })
  }
  return {
    write(): Promise<void> {
      writing = writing
        .then(writeNow)
        .catch((error: unknown) => events.note(`the state was not written: ${String(error)}`))
      return writing
    },
    async end(): Promise<void> {
      ended = true
      await writing
    },
  }
}

async function endLeftovers({ layout }: Pick<Installation, 'layout'>, events: StackEvents): Promise<void> {
  const left = await leftovers(await readRecord(layout))
  if (left.length > 0) {
    const names = left.map(({ name }) => name).join(', ')
    events.note(`an earlier run was killed and left ${names} running: stopping them first`)
    await endAll(left.map(({ identity }) => identity))
  }
}
