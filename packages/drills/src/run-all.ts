import { mkdir, rm, writeFile } from 'node:fs/promises'
import { cpus } from 'node:os'
import { join, resolve } from 'node:path'
import { MillraceError } from '@millrace/core/errors'
import { definePlatform } from '@millrace/core/platform'
import { javaEnvironment } from '@millrace/stack/environment'
import { type Installation, openInstallation } from '@millrace/stack/installation'
import { projectDirectory } from '@millrace/stack/layout'
import { publishingParts } from '@millrace/stack/parts'
import { progress } from '@millrace/stack/progress'
import { gatewayUrl } from '@millrace/stack/servers/gateway'
import { createStack } from '@millrace/stack/stack'
import type { Drill } from './drill.ts'
import { type DrillResults, pageOf, readResults } from './results.ts'
import { runDrill } from './run-drill.ts'

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

const stateDirectory = resolve(projectDirectory, '.millrace-drills')
const resultsDirectory = resolve(projectDirectory, 'docs/drills')
const page = resolve(projectDirectory, 'docs/drills.md')

/**
 * Runs drills one after the other on a platform of its own, of what takes events in.
 * @returns whether every verdict holds, and how many events were acknowledged
 * @throws MillraceError 'stack.failed' when the platform does not start; the reason of `signal` when it is aborted
 */
export async function runAll(options: RunAllOptions): Promise<{ readonly ok: boolean; readonly acknowledged: number }> {
  const { portBase, note, signal } = options
  await rm(stateDirectory, { recursive: true, force: true })
  const installation = await openInstallation({
    ...{ stateDirectory, portBase },
    ...{ brokers: 3, gateways: 3, faults: true, java: javaEnvironment },
    platform: definePlatform({ events: [] }),
  })
  const stack = createStack(installation, portBase, publishingParts(installation), progress(note))
  const results: Result[] = []
  try {
    await stack.start(signal)
    for (const drill of options.drills) results.push(await resultOf(drill, installation, options))
  } finally {
    await stack.stop()
  }
  if (options.keep) await keep(results)
  const acknowledged = results.reduce((sum, result) => sum + ('acknowledged' in result ? result.acknowledged : 0), 0)
  return { ok: results.every((result) => 'ok' in result && result.ok), acknowledged }
}

/** A drill that breaks off is a result too: the others are run all the same. */
async function resultOf(drill: Drill, installation: Installation, options: RunAllOptions): Promise<Result> {
  const { eventsPerSecond, note, signal } = options
  const gatewayUrls = installation.gatewayInstances.map((instance) => gatewayUrl(installation, instance))
  try {
    const report = await runDrill(drill, { installation, gatewayUrls, eventsPerSecond, note, signal })
    const recovery =
      report.recoverySeconds === null ? 'not calm again in time' : `calm again ${report.recoverySeconds} s after`
    note(
      `${report.ok ? '✓' : '✗'} ${drill.name}: ${report.acknowledged} acknowledged, ${report.copies} copies, ${recovery}`,
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
  const machine = { cores: cpus().length, model: cpus()[0]?.model.trim() ?? 'unknown', node: process.version }
  const kept: DrillResults = { at, machine, drills: [...results] }
  await mkdir(resultsDirectory, { recursive: true })
  const file = join(resultsDirectory, `${at.slice(0, 16).replaceAll(':', '')}.json`)
  await writeFile(file, `${JSON.stringify(kept, undefined, 2)}\n`)
  await writeFile(page, pageOf(await readResults(resultsDirectory)))
}
