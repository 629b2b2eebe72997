/** Which resource ran out at the lowest rate that was too much. */
import { judge } from './judgement.ts'
import type { Measurement } from './measure.ts'

type Run = Pick<Measurement, 'rate' | 'lag' | 'verdict' | 'latencies' | 'load'>

/** Of the machine's cores, and of the one that a thread can have. */
const saturatedShare = 0.95
const toldMax = 3
/** The processes that do their work in one thread; the JVMs and what is written in Go have many. */
const ofOneThread = /^(npm start|gateway|monitor|worker)(-\d+)?$/

/** How the report calls a process. */
export function labelOf(process: string): string {
  return process === 'npm start' ? 'load and subscribers' : process
}

/** A sentence, computed from what was measured. */
export function boundOf(runs: readonly Run[]): string {
  const sorted = runs.toSorted((one, other) => one.rate.asked - other.rate.asked)
  const lagging = sorted.find((run) => !judge(run).keepsUp)
  if (lagging) return `${at(lagging)}, the lowest rate that it did not keep up with, ${resourceOf(lagging)}`
  const slow = sorted.find((run) => !judge(run).holds)
  if (slow) return `${at(slow)}, the lowest rate that it did not hold, ${resourceOf(slow)}`
  const last = sorted.at(-1)
  if (!last) return 'Nothing was measured.'
  return `Nothing up to ${count(last.rate.asked)} events/s, the highest rate that was tried: there ${resourceOf(last)}`
}

function at({ rate }: Run): string {
  return `At ${count(rate.asked)} events/s`
}

function resourceOf(run: Run): string {
  const { cores, coresBusy, coresByProcess } = run.load
  const busy = `${coresBusy.toFixed(2)} of the machine’s ${cores} cores were busy`
  const most = `the most by ${named(Object.entries(coresByProcess).slice(0, toldMax))}`
  if (coresBusy >= saturatedShare * cores) return `the bound was the processor: ${busy}, ${most}.`
  const full = Object.entries(coresByProcess).filter(([name, used]) => ofOneThread.test(name) && used >= saturatedShare)
  if (full.length > 0) return `the bound was one thread: ${named(full)} of the one core that it can have; ${busy}.`
  return `the processor was not the bound: ${busy}, ${most}.${missedOf(run)}`
}

function missedOf(run: Run): string {
  const missed = judge(run).checks.filter(({ ok }) => !ok)
  return missed.length === 0 ? '' : ` Missed: ${missed.map(({ what }) => what).join('; ')}.`
}

function named(used: readonly (readonly [string, number])[]): string {
  return used.map(([name, cores]) => `${labelOf(name)} (${cores.toFixed(2)})`).join(', ')
}

function count(value: number): string {
  return value.toLocaleString('en')
}
