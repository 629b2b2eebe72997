/** What the runs came to: which rates were kept up with and held, and by what they are bounded. */
import type { Machine } from '../machine.ts'
import { boundOf } from './bound.ts'
import { judge, type Judgement } from './judgement.ts'
import type { Measurement, Phase } from './measure.ts'

export type Run = Measurement & { readonly judgement: Judgement }

export type Report = {
  readonly date: string
  readonly machine: Machine
  /** The rate that is asked of the long run, in events per second. */
  readonly rate: number
  readonly highest: Readonly<Record<Phase, Highest>>
  readonly bound: string
  readonly runs: readonly Run[]
}

/** Events per second; null: none of those that were tried. */
export type Highest = { readonly keptUp: number | null; readonly held: number | null }

export function reportOf(measurements: readonly Measurement[], rate: number, machine: Machine): Report {
  const runs = measurements.map((one): Run => ({ ...one, judgement: judge(one) }))
  return {
    date: new Date().toISOString().slice(0, 10),
    ...{ machine, rate, highest: { find: highestOf(runs, 'find'), long: highestOf(runs, 'long') } },
    ...{ bound: boundOf(measurements), runs },
  }
}

function highestOf(runs: readonly Run[], phase: Phase): Highest {
  const ofPhase = runs.filter((run) => run.phase === phase)
  const highest = (some: readonly Run[]) => some.reduce<number | null>(greater, null)
  return {
    keptUp: highest(ofPhase.filter(({ judgement }) => judgement.keepsUp)),
    held: highest(ofPhase.filter(({ judgement }) => judgement.holds)),
  }
}

function greater(before: number | null, { rate }: Run): number {
  return Math.max(before ?? 0, rate.asked)
}
