import { readFile } from 'node:fs/promises'

/** What a process has used of the machine. */
export type ProcessUsage = {
  /** Seconds of one core, since the process began, in user and kernel mode. */
  readonly cpuSeconds: number
  /** Its part of the memory: what several processes share is divided among them (Linux: proportional set size). */
  readonly memoryBytes: number
}

/** What one process has used, with the part of its time that was spent in kernel mode. */
type OneProcessUsage = ProcessUsage & { readonly systemSeconds: number }

/** Linux counts process times in hundredths of a second, whatever the kernel was built with (`getconf CLK_TCK`). */
const ticksPerSecond = 100

/** What a process uses now, or `undefined` when it has ended or the system does not tell (it is read from `/proc`). @see proc(5) */
export async function processUsage(pid: number): Promise<OneProcessUsage | undefined> {
  const [stat, memory] = await Promise.all(
    ['stat', 'smaps_rollup'].map((name) => readFile(`/proc/${pid}/${name}`, 'utf8').catch(() => undefined)),
  )
  const kibibytes = /^Pss:\s+(\d+) kB$/m.exec(memory ?? '')?.[1]
  if (stat === undefined || kibibytes === undefined) return undefined
  // The command name is in parentheses and may hold spaces; after it utime and stime are the 12th and 13th field.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const [user, system] = [Number(fields[11]), Number(fields[12])]
  return {
    cpuSeconds: (user + system) / ticksPerSecond,
    systemSeconds: system / ticksPerSecond,
    memoryBytes: Number(kibibytes) * 1_024,
  }
}

/** The sum over processes; those that have ended count nothing. */
export async function usageOfAll(pids: readonly number[]): Promise<ProcessUsage> {
  const usages = await Promise.all(pids.map(processUsage))
  return usages.reduce<ProcessUsage>(
    (sum, usage) => ({
      cpuSeconds: sum.cpuSeconds + (usage?.cpuSeconds ?? 0),
      memoryBytes: sum.memoryBytes + (usage?.memoryBytes ?? 0),
    }),
    { cpuSeconds: 0, memoryBytes: 0 },
  )
}
