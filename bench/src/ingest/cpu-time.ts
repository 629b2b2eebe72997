import { readFile } from 'node:fs/promises'

/** Seconds of one core since a process began. */
export type CpuTime = { readonly user: number; readonly system: number }

/** Linux counts process times in hundredths of a second, whatever the kernel was built with (`getconf CLK_TCK`). */
const ticksPerSecond = 100

/** What a process has used, told apart by where. Rejects when there is no such process. @see proc(5) */
export async function cpuTimeOf(pid: number): Promise<CpuTime> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8')
  // The command name is in parentheses and may hold spaces; after it utime and stime are the 12th and 13th field.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return { user: Number(fields[11]) / ticksPerSecond, system: Number(fields[12]) / ticksPerSecond }
}
