import { mkdir, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { MillraceError } from '@millrace/core/errors'
import { projectDirectory } from '@millrace/stack/layout'
import { thisMachine, withDrillPlatform } from './drill-platform.ts'
import type { Drill } from './drill.ts'
import { type DrillResults, pageOf, readResults } from './results.ts'
import { type DrillOptions, runDrill } from './run-drill.ts'

export type RunAllOptions = {
  readonly drills: readonly Drill[]
  readonly eventsPerSecond: number
  readonly portBase: number
  /** Whether the results become part of the docs. */
  readonly keep: boolean
  readonly note: (line: string) => void
  readonly signal: AbortSignal
}

type Result = DrillResults['drills'][number]

const folder = '.millrace-drills'
const resultsDirectory = resolve(projectDirectory, 'docs/drills')
const page = resolve(projectDirectory, 'docs/drills.md')

/**
 * Runs drills one after the other on a platform of its own, of what takes events in.
 * @returns whether every verdict holds, and how many events were acknowledged
 * @throws MillraceError 'stack.failed' when the platform does not start; the reason of `signal` when it is aborted
 */
export async function runAll(options: RunAllOptions): Promise<{ readonly ok: boolean; readonly acknowledged: number }> {
  const { eventsPerSecond, portBase, note, signal } = options
  const results = await withDrillPlatform({ folder, portBase, note, signal }, async (platform) => {
    const done: Result[] = []
    for (const drill of options.drills) done.push(await resultOf(drill, { ...platform, eventsPerSecond }))
    return done
  })
  if (options.keep) await keep(results)
  const acknowledged = results.reduce((sum, result) => sum + ('acknowledged' in result ? result.acknowledged : 0), 0)
  return { ok: results.every((result) => 'ok' in result && result.ok), acknowledged }
}

/** A drill that breaks off is a result too: the others are run all the same. */
async function resultOf(drill: Drill, options: DrillOptions): Promise<Result> {
  const { note, signal } = options
  try {
    const report = await runDrill(drill, options)
    const recovery =
      report.recoverySeconds === null ? 'not calm again in time' : `calm again ${report.recoverySeconds} s after`
    const bound = report.isWithinBound === false ? `, promised was ${report.recoverySecondsMax} s` : ''
    note(
      `${report.ok ? '✓' : '✗'} ${drill.name}: ${report.acknowledged} acknowledged, ${report.copies} copies, ${recovery}${bound}`,
    )
    return report
  } catch (error) {
    signal.throwIfAborted()
    if (!(error instanceof MillraceError)) throw error
    note(`✗ ${drill.name}: ${error.message}`)
    return { drill: drill.name, says: drill.says, why: error.message }
  }
}

async function keep(results: readonly Result[]): Promise<void> {
  const at = new Date().toISOString()
  const kept: DrillResults = { at, machine: thisMachine(), drills: [...results] }
  await mkdir(resultsDirectory, { recursive: true })
  const file = join(resultsDirectory, `${at.slice(0, 16).replaceAll(':', '')}.json`)
  await writeFile(file, `${JSON.stringify(kept, undefined, 2)}\n`)
  await writeFile(page, pageOf(await readResults(resultsDirectory)))
}
