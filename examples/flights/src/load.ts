import { cpus } from 'node:os'
import { type ProcessUsage, processUsage } from '@millrace/stack/process-usage'
import type { Stack } from '@millrace/stack/stack'
import type { Load } from './summary.ts'

export type LoadMeter = {
  /** Looks at the memory; the greatest of all looks is kept. */
  look(): Promise<void>
  /** What was used since the meter was opened. */
  load(): Promise<Load>
  /** All processes together, at the last look. */
  memoryBytes(): number
}

type Usages = ReadonlyMap<string, ProcessUsage>

/** Measures what the platform's processes, and the machine, use from now on. */
export async function openLoadMeter(stack: Stack): Promise<LoadMeter> {
  const first = { atMs: performance.now(), idleMs: idleMs(), usages: await usagesOf(stack) }
  let memoryBytes = total(first.usages)
  let memoryBytesMax = memoryBytes
  return {
    memoryBytes: () => memoryBytes,
    look: async () => {
      memoryBytes = total(await usagesOf(stack))
      memoryBytesMax = Math.max(memoryBytesMax, memoryBytes)
    },
    load: async () => {
      const seconds = (performance.now() - first.atMs) / 1_000
      const usages = await usagesOf(stack)
      const used = [...usages].map(([name, { cpuSeconds }]): [string, number] => {
        const before = first.usages.get(name)?.cpuSeconds ?? 0
        // A server that was started again counts from zero.
        return [name, Math.max(0, cpuSeconds >= before ? cpuSeconds - before : cpuSeconds) / seconds]
      })
      return {
        cores: cpus().length,
        coresBusy: cpus().length - (idleMs() - first.idleMs) / (seconds * 1_000),
        coresByProcess: Object.fromEntries(used.sort(([, left], [, right]) => right - left)),
        memoryBytesMax,
      }
    },
  }
}

async function usagesOf(stack: Stack): Promise<Usages> {
  const processes = [{ name: 'npm start', pid: process.pid }, ...stack.services()]
  const usages = await Promise.all(
    processes.map(async ({ name, pid }) => ({ name, usage: pid === undefined ? undefined : await processUsage(pid) })),
  )
  return new Map(usages.flatMap(({ name, usage }) => (usage ? [[name, usage] as const] : [])))
}

function total(usages: Usages): number {
  return [...usages.values()].reduce((sum, { memoryBytes }) => sum + memoryBytes, 0)
}

/** How long the cores were idle, added up, since the machine started. */
function idleMs(): number {
  return cpus().reduce((sum, { times }) => sum + times.idle, 0)
}
