/** Many events through the ledger: rounds of load and faults, each with a verdict, until so many were acknowledged. */
import { mkdir, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { MillraceError } from '@millrace/core/errors'
import { projectDirectory } from '@millrace/stack/layout'
import { thisMachine, withDrillPlatform } from './drill-platform.ts'
import { soakFaults } from './drills.ts'
import { requireRate } from './keyed-load.ts'
import { type DrillOptions, runDrill } from './run-drill.ts'
import { soakDrill } from './soak-drill.ts'
import {
  acknowledgedIn,
  everyRoundHolds,
  readSoaks,
  type SoakResults,
  type SoakRoundResult,
  soakPageOf,
} from './soak-results.ts'

export type SoakOptions = {
  /** It ends when so many events were acknowledged. */
  readonly events: number
  readonly eventsPerSecond: number
  /** How many events a round asks for: what is read and compared at a time. */
  readonly eventsPerRound: number
  readonly portBase: number
  /** Whether the results become part of the docs. */
  readonly keep: boolean
  readonly note: (line: string) => void
  readonly signal: AbortSignal
}

const folder = '.millrace-soak'
const resultsDirectory = resolve(projectDirectory, 'docs/soak')
const page = resolve(projectDirectory, 'docs/soak.md')
/** Larger than a drill's, whose latencies count: so who sends takes less of the machine. */
const eventsPerBatch = 200
/** A round is over before its first events are older than their topic keeps them, an hour. */
const roundSecondsMax = 1_800
/** Who cannot be loaded any more will not be the next time either. */
const failuresMax = 3

/** @throws MillraceError 'config.invalid' for a rate at which it would tell too little, and for rounds that would take too long */
export function requireRounds({
  eventsPerSecond,
  eventsPerRound,
}: Pick<SoakOptions, 'eventsPerSecond' | 'eventsPerRound'>): void {
  requireRate(eventsPerSecond)
  if (eventsPerRound <= roundSecondsMax * eventsPerSecond) return
  throw new MillraceError(
    'config.invalid',
    `a round takes ${roundSecondsMax} s at most: ${roundSecondsMax * eventsPerSecond} events at that rate`,
  )
}

/**
 * Runs rounds on a platform of its own. A round that fails is a result too, and the next begins; three that broke off one after the other
 * end it. Each is kept when it is over: where the soak is interrupted, those before are there.
 * @returns whether every verdict holds and as many events were acknowledged as were asked for, and how many
 * @throws MillraceError 'config.invalid' as `requireRounds` says; 'stack.failed' when the platform does not start
 */
export async function runSoak(options: SoakOptions): Promise<{ readonly ok: boolean; readonly acknowledged: number }> {
  requireRounds(options)
  const { events, eventsPerSecond, keep, portBase, note, signal } = options
  const soak = { at: new Date().toISOString(), machine: thisMachine(), eventsPerSecondAsked: eventsPerSecond }
  const rounds: SoakRoundResult[] = []
  await withDrillPlatform({ folder, portBase, note, signal }, async (platform) => {
    while (acknowledgedIn(rounds) < events && !isHopeless(rounds)) {
      const round = await roundOf(options, { ...platform, eventsPerSecond, eventsPerBatch })
      if (!round) return
      rounds.push(round)
      note(`${lineOf(round)}; ${acknowledgedIn(rounds).toLocaleString('en')} in ${rounds.length} rounds`)
      if (keep) await keepResults({ ...soak, rounds })
    }
  })
  const acknowledged = acknowledgedIn(rounds)
  return { ok: everyRoundHolds(rounds) && acknowledged >= events, acknowledged }
}

/** What became of a round, whatever went wrong in it; nothing when it was interrupted. */
async function roundOf(soak: SoakOptions, options: DrillOptions): Promise<SoakRoundResult | undefined> {
  const at = new Date().toISOString()
  const faults: string[] = []
  const forMs = (soak.eventsPerRound * 1_000) / soak.eventsPerSecond
  const drill = soakDrill({ faults: soakFaults, forMs, onFault: (name) => faults.push(name) })
  try {
    const report = await runDrill(drill, options)
    const { seed, ok, eventsPerSecond, acknowledged, unconfirmed, refused, copies } = report
    const broken = report.checks.filter((check) => !check.ok).map(({ name }) => name)
    return { at, seed, ok, eventsPerSecond, acknowledged, unconfirmed, refused, copies, faults, broken }
  } catch (error) {
    if (options.signal.aborted) {
      options.note(String(options.signal.reason))
      return undefined
    }
    return { at, faults, why: error instanceof Error ? error.message : String(error) }
  }
}

function isHopeless(rounds: readonly SoakRoundResult[]): boolean {
  return rounds.length >= failuresMax && rounds.slice(-failuresMax).every((round) => 'why' in round)
}

function lineOf(round: SoakRoundResult): string {
  if ('why' in round) return `✗ ${round.why}`
  const { ok, acknowledged, eventsPerSecond, unconfirmed, copies, faults, broken } = round
  return [
    `${ok ? '✓' : '✗'} ${acknowledged.toLocaleString('en')} acknowledged at ${eventsPerSecond}/s`,
    `${unconfirmed} left unconfirmed, ${copies} copies, ${faults.length} faults`,
    ...broken,
  ].join(', ')
}

async function keepResults(results: SoakResults): Promise<void> {
  await mkdir(resultsDirectory, { recursive: true })
  const file = join(resultsDirectory, `${results.at.slice(0, 16).replaceAll(':', '')}.json`)
  await writeFile(file, `${JSON.stringify(results, undefined, 2)}\n`)
  await writeFile(page, soakPageOf(await readSoaks(resultsDirectory)))
}
