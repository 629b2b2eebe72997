/** What is running, on disk: who holds the installation, and which processes it started. Survives a killed runner. */
import { randomUUID } from 'node:crypto'
import { link, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { MillraceError } from '@millrace/core/errors'
import * as z from 'zod'
import type { Layout } from './layout.ts'
import { identify, isAlive, processIdentity, type ProcessIdentity } from './process-identity.ts'
import { parsedOrRefused } from './state-file.ts'

const serviceRecord = z.strictObject({
  name: z.string(),
  state: z.enum(['waiting', 'starting', 'running', 'restarting', 'stopping', 'stopped', 'failed']),
  address: z.string(),
  pid: z.int().nullable(),
  restarts: z.int(),
  startedAt: z.string().nullable(),
})
const stackRecord = z.strictObject({
  runner: processIdentity,
  portBase: z.int(),
  ready: z.boolean(),
  services: z.array(serviceRecord),
})
export type StackRecord = z.infer<typeof stackRecord>
export type ServiceRecord = z.infer<typeof serviceRecord>

const terminateWaitMs = 20_000
const killWaitMs = 10_000
const pollMs = 100

function lockFile(layout: Layout): string {
  return join(layout.run, 'lock')
}

function recordFile(layout: Layout): string {
  return join(layout.run, 'stack.json')
}

export async function readRecord(layout: Layout): Promise<StackRecord | undefined> {
  const text = await readFile(recordFile(layout), 'utf8').catch(() => undefined)
  if (text === undefined) return undefined
  return parsedOrRefused(recordFile(layout), text, stackRecord)
}

/** Written whole and moved into place, so that a reader never sees half of it. */
export async function writeRecord(layout: Layout, record: StackRecord): Promise<void> {
  const file = recordFile(layout)
  await writeFile(`${file}.new`, JSON.stringify(record, undefined, 2), { mode: 0o600 })
  await rename(`${file}.new`, file)
}

/** Deletes what a run leaves on disk beside its data and logs: the record, the lock, temporary files. Nothing of it may still run. */
export async function clearRun(layout: Layout): Promise<void> {
  await rm(recordFile(layout), { force: true })
  const names = await readdir(layout.temporary).catch(() => [])
  for (const name of names) await rm(join(layout.temporary, name), { recursive: true, force: true })
  await rm(lockFile(layout), { force: true })
}

/**
 * Makes this process the only runner of an installation.
 * @throws MillraceError `stack.failed` when another one runs it, naming its process and the command that stops it.
 */
export async function takeLock(layout: Layout): Promise<void> {
  const self = await identify(process.pid)
  if (!self) throw new MillraceError('stack.failed', 'this system does not tell when a process began')
  while (!(await createLock(layout, self))) {
    const holder = await lockHolder(layout)
    if (holder) {
      throw new MillraceError(
        'stack.failed',
        `the stack in ${layout.state} is already running (process ${holder.pid}): look with "npx millrace status", stop it with "npx millrace down"`,
      )
    }
    await rm(lockFile(layout), { force: true })
  }
}

/** Written whole and linked into place, so that of two runners one gets it, and no one takes half of it for nobody's. */
async function createLock(layout: Layout, self: ProcessIdentity): Promise<boolean> {
  const whole = `${lockFile(layout)}.${randomUUID()}`
  await writeFile(whole, JSON.stringify(self), { mode: 0o600 })
  try {
    await link(whole, lockFile(layout))
    return true
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false
    throw error
  } finally {
    await rm(whole, { force: true })
  }
}

/**
 * The living process that runs an installation, known before it has written a record.
 * @throws MillraceError `stack.failed` when the lock is damaged
 */
export async function lockHolder(layout: Layout): Promise<ProcessIdentity | undefined> {
  const file = lockFile(layout)
  const text = await readFile(file, 'utf8').catch(() => undefined)
  if (!text) return undefined // empty: the machine went down before it was on disk
  const holder = parsedOrRefused(file, text, processIdentity)
  return (await isAlive(holder)) ? holder : undefined
}

/** The processes that a runner which is gone has left behind. */
export async function leftovers(
  record: StackRecord | undefined,
): Promise<{ name: string; identity: ProcessIdentity }[]> {
  const recorded = (record?.services ?? []).flatMap(({ name, pid, startedAt }) =>
    pid === null || startedAt === null ? [] : [{ name, identity: { pid, startedAt } }],
  )
  const alive = await Promise.all(recorded.map(({ identity }) => isAlive(identity)))
  return recorded.filter((_, index) => alive[index])
}

/**
 * Ends processes that are not our children: SIGTERM, and SIGKILL for those that stay. None runs when this is done.
 * @throws MillraceError 'stack.failed' when one does not even end then
 */
export async function endAll(identities: readonly ProcessIdentity[], waitMs = terminateWaitMs): Promise<void> {
  for (const { pid } of identities) signal(pid, 'SIGTERM')
  for (const { pid } of await remainingAfter(identities, waitMs)) signal(pid, 'SIGKILL')
  const immortal = await remainingAfter(identities, killWaitMs)
  if (immortal.length > 0) {
    const pids = immortal.map(({ pid }) => pid).join(', ')
    throw new MillraceError(
      'stack.failed',
      `processes ${pids} do not end, though they were killed: look at what they wait for`,
    )
  }
}

/** Waits until all have ended, for so long. */
async function remainingAfter(identities: readonly ProcessIdentity[], waitMs: number): Promise<ProcessIdentity[]> {
  const deadline = performance.now() + waitMs
  for (;;) {
    const alive = await Promise.all(identities.map(isAlive))
    const remaining = identities.filter((_, index) => alive[index])
    if (remaining.length === 0 || performance.now() >= deadline) return remaining
    await sleep(pollMs)
  }
}

function signal(pid: number, name: 'SIGTERM' | 'SIGKILL'): void {
  try {
    process.kill(pid, name)
  } catch {
    // it ended between the look and the signal
  }
}
