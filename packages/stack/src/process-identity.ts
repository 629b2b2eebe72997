import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import * as z from 'zod'

/** A process that cannot be mistaken for a later one with the same number: its number and when it began. */
export const processIdentity = z.strictObject({ pid: z.int().positive(), startedAt: z.string() })
export type ProcessIdentity = z.infer<typeof processIdentity>

/** Who has a process number now, or `undefined` when nobody has (zombies count as nobody). */
export async function identify(pid: number): Promise<ProcessIdentity | undefined> {
  const startedAt = (await startFromProc(pid)) ?? (await startFromPs(pid))
  return startedAt ? { pid, startedAt } : undefined
}

export async function isAlive(identity: ProcessIdentity): Promise<boolean> {
  const now = await identify(identity.pid)
  return now?.startedAt === identity.startedAt
}

async function startFromProc(pid: number): Promise<string | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined)
  // The command name, field 2, is in parentheses and may hold spaces; field 3 is the state, field 22 the start time.
  const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ')
  return fields?.[0] === 'Z' ? undefined : fields?.[19]
}

async function startFromPs(pid: number): Promise<string | undefined> {
  if (process.platform === 'linux') return undefined
  const { stdout } = await promisify(execFile)('ps', ['-o', 'lstart=', '-p', String(pid)]).catch(() => ({ stdout: '' }))
  return stdout.trim() || undefined
}
