import { rm } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { javaEnvironment } from '@millrace/stack/environment'
import { type Installation, openInstallation } from '@millrace/stack/installation'
import { projectDirectory } from '@millrace/stack/layout'
import { publishingParts } from '@millrace/stack/parts'
import { progress } from '@millrace/stack/progress'
import type { ServerSpec, TaskSpec } from '@millrace/stack/server'
import { createStack, type Stack } from '@millrace/stack/stack'
import { machineSince, oneMinuteLoad } from '../machine.ts'
import type { IngestOptions } from '../options.ts'
import { type Pids, pidsOf } from '../pids.ts'
import { whileRunning } from '../while-running.ts'
import { buildBenthos } from './benthos.ts'
import type { Mode } from './events.ts'
import { measure, type Measurement } from './measure.ts'
import { benchPlatform } from './platform.ts'
import { reportOf } from './report.ts'
import { concurrencyOf, openSubjects, type Subject, subjectServers } from './subjects.ts'
import { writeReport } from './write-report.ts'

type Say = (line: string) => void

const stateDirectory = resolve(projectDirectory, '.millrace-bench')
/** On a machine that has little time for us. */
const warmUpMsMax = 90_000
const warmUpStepSeconds = 1
const resultsDirectory = resolve(projectDirectory, 'bench/results')

/** Runs the whole benchmark and returns its table; files are written to `bench/results`. */
export async function benchIngest(options: IngestOptions, say: Say): Promise<string> {
  const start = oneMinuteLoad()
  const benthosProgram = await buildBenthos(join(stateDirectory, 'benthos'), say)
  const state = join(stateDirectory, 'state')
  await rm(state, { recursive: true, force: true })
  const installation = await openInstallation({
    stateDirectory: state,
    portBase: options.portBase,
    brokers: 3,
    platform: benchPlatform,
    java: javaEnvironment,
  })
  const parts = [
    ...publishingParts(installation).map((part) => profiled(part, options.profileDirectory)),
    ...subjectServers(installation, benthosProgram),
  ]
  const stack = createStack(installation, options.portBase, parts, progress(say))
  const measurements = await whileRunning(stack, (signal) =>
    runRounds(installation, benthosProgram !== undefined, stack, options, say, signal),
  )
  const machine = machineSince(start)
  await rm(state, { recursive: true, force: true }) // gigabytes of what was measured
  return writeReport(reportOf(measurements, options, machine), resultsDirectory)
}

async function runRounds(
  installation: Installation,
  withBenthos: boolean,
  stack: Stack,
  options: IngestOptions,
  say: Say,
  signal: AbortSignal,
): Promise<Measurement[]> {
  const subjects = await openSubjects(installation, withBenthos)
  const pids = pidsOf(stack)
  const measurements: Measurement[] = []
  try {
    for (const subject of subjects) await warmUp(subject, options, say, signal)
    for (let round = 1; round <= options.rounds; round++) {
      signal.throwIfAborted()
      // Nobody is always the one who comes first.
      const inTurn = [...subjects.slice(round % subjects.length), ...subjects.slice(0, round % subjects.length)]
      measurements.push(...(await runRound(inTurn, round, options, pids, say, signal)))
    }
  } finally {
    for (const subject of subjects) subject.close()
  }
  return measurements
}

async function warmUp(subject: Subject, { warmUpEvents }: IngestOptions, say: Say, signal: AbortSignal): Promise<void> {
  say(`warming up ${subject.name}`)
  const endMs = performance.now() + warmUpMsMax
  for (const mode of ['single', 'batch'] as const) {
    const load = { perSecond: undefined, seconds: warmUpStepSeconds, concurrency: concurrencyOf(mode) }
    for (let events = 0; events < warmUpEvents && performance.now() < endMs;) {
      signal.throwIfAborted()
      const taken = await subject.put(mode, load)
      events += taken.events
    }
  }
}

async function runRound(
  subjects: readonly Subject[],
  round: number,
  { seconds }: IngestOptions,
  pids: Pids,
  say: Say,
  signal: AbortSignal,
): Promise<Measurement[]> {
  const measurements: Measurement[] = []
  const run = async (subject: Subject, mode: Mode, perSecond: number | undefined): Promise<void> => {
    signal.throwIfAborted()
    const kind = perSecond === undefined ? 'saturation' : 'half'
    const measured = await measure(subject, { mode, kind, round, seconds, perSecond }, pids)
    measurements.push(measured)
    say(lineOf(measured))
  }
  for (const mode of ['single', 'batch'] as const) {
    for (const subject of subjects) await run(subject, mode, undefined)
  }
  for (const subject of subjects) await run(subject, 'single', halfRate(measurements, subject))
  return measurements
}

/** Half of what the gateway takes, so that all are compared at one rate; less for a subject whose own half is less. */
function halfRate(measurements: readonly Measurement[], { name }: Subject): number {
  const taken = measurements
    .filter(
      ({ subject, mode, kind }) =>
        kind === 'saturation' && mode === 'single' && (subject === name || subject === 'millrace'),
    )
    .map(({ eventsPerSecond }) => eventsPerSecond)
  return Math.max(1, Math.round(Math.min(...taken) / 2))
}

function profiled(part: ServerSpec | TaskSpec, directory: string | undefined): ServerSpec | TaskSpec {
  if (part.kind !== 'server' || part.name !== 'gateway' || directory === undefined) return part
  const { command } = part
  const words = ['--cpu-prof', `--cpu-prof-dir=${resolve(directory)}`, ...command.arguments]
  return { ...part, command: { ...command, arguments: words } }
}

function lineOf({
  subject,
  mode,
  kind,
  round,
  eventsPerSecond,
  eventsPerCpuSecond,
  latencyMs,
  failures,
}: Measurement): string {
  const numbers = `${eventsPerSecond.toFixed(0)} events/s, ${eventsPerCpuSecond.toFixed(0)} a CPU-second, p95 ${latencyMs.p95.toFixed(1)} ms`
  return `  ${round} ${kind.padEnd(10)} ${mode.padEnd(6)} ${subject.padEnd(17)} ${numbers}${failures > 0 ? `, ${failures} failed` : ''}`
}
