/** What the runs came to. */
import type { Machine } from '../machine.ts'
import type { Candidate } from './candidates.ts'
import type { LoadEnd } from './load-process.ts'
import type { ClientVerdict } from './verdict.ts'

/** One candidate under one fault. */
export type ClientRun = ClientVerdict &
  LoadEnd & { readonly round: number; readonly fault: string; readonly candidate: string }

/** The sum of some runs of a candidate. */
export type Row = Omit<ClientVerdict, 'others'> & {
  readonly candidate: string
  /** Absent: all faults. */
  readonly fault?: string
  readonly runs: number
  /** Runs in which nothing was lost, doubled, misplaced, out of order or left unanswered, and no process ended. */
  readonly clean: number
  readonly died: number
  /** The longest. */
  readonly silenceMs: number
}

export type Report = {
  readonly date: string
  readonly machine: Machine
  readonly rounds: number
  readonly candidates: readonly Pick<Candidate, 'name' | 'version' | 'settings'>[]
  readonly totals: readonly Row[]
  readonly rows: readonly Row[]
  readonly runs: readonly ClientRun[]
}

export function reportOf(runs: readonly ClientRun[], candidates: readonly Candidate[], machine: Machine): Report {
  const faults = [...new Set(runs.map(({ fault }) => fault))]
  const of = (name: string, fault?: string) =>
    runs.filter((run) => run.candidate === name && (fault === undefined || run.fault === fault))
  return {
    date: new Date().toISOString().slice(0, 10),
    machine,
    rounds: Math.max(0, ...runs.map(({ round }) => round)),
    candidates: candidates.map(({ name, version, settings }) => ({ name, version, settings })),
    totals: candidates.map(({ name }) => ({ candidate: name, ...sumOf(of(name)) })),
    rows: faults.flatMap((fault) =>
      candidates.map(({ name }) => ({ candidate: name, fault, ...sumOf(of(name, fault)) })),
    ),
    runs,
  }
}

function sumOf(runs: readonly ClientRun[]): Omit<Row, 'candidate' | 'fault'> {
  const sum = (numberOf: (run: ClientRun) => number) => runs.reduce((total, run) => total + numberOf(run), 0)
  return {
    runs: runs.length,
    clean: runs.filter(isClean).length,
    acknowledged: sum(({ acknowledged }) => acknowledged),
    unconfirmed: sum(({ unconfirmed }) => unconfirmed),
    unanswered: sum(({ unanswered }) => unanswered),
    lost: sum(({ lost }) => lost),
    copies: sum(({ copies }) => copies),
    misplaced: sum(({ misplaced }) => misplaced),
    disordered: sum(({ disordered }) => disordered),
    died: runs.filter(({ died }) => died !== null).length,
    silenceMs: Math.max(0, ...runs.map(({ silenceMs }) => silenceMs ?? 0)),
  }
}

function isClean(run: ClientRun): boolean {
  const { lost, copies, misplaced, disordered, unanswered, others, died } = run
  return lost + copies + misplaced + disordered + unanswered + others.length === 0 && died === null
}
