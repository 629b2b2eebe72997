/** The platform's pipelines and a Kafka Streams program over one topic, in turns. */
import { rm } from 'node:fs/promises'
import { resolve } from 'node:path'
import { eventTypesOf } from '@millrace/core/platform'
import { type Admin, openAdmin } from '@millrace/kafka/admin'
import { applyChanges } from '@millrace/reconcile/change'
import { lateTopicsOf, topicsOfType } from '@millrace/reconcile/desired-topics'
import { planTopics } from '@millrace/reconcile/plan-topics'
import { javaEnvironment } from '@millrace/stack/environment'
import { type Installation, openInstallation } from '@millrace/stack/installation'
import { projectDirectory } from '@millrace/stack/layout'
import { brokerParts } from '@millrace/stack/parts'
import type { Command } from '@millrace/stack/server'
import { progress } from '@millrace/stack/progress'
import { flinkServers } from '@millrace/stack/servers/flink'
import { registryUrl } from '@millrace/stack/servers/registry'
import { createStack, type Stack } from '@millrace/stack/stack'
import { machineSince, oneMinuteLoad } from '../machine.ts'
import type { ProcessingOptions } from '../options.ts'
import { pidsOf } from '../pids.ts'
import { whileRunning } from '../while-running.ts'
import { flinkEngine } from './flink-engine.ts'
import { type Ground, measure } from './measure.ts'
import { processingPlatform, works } from './platform.ts'
import { storeFlights } from './records.ts'
import { type Measurement, reportOf } from './report.ts'
import { expectedResults } from './results.ts'
import { buildStreams } from './streams-build.ts'
import { openStreams, streamsEngine, streamsTopic } from './streams-engine.ts'
import { subjectsOf } from './subjects.ts'
import { writeReport } from './write-report.ts'

type Say = (line: string) => void

const stateDirectory = resolve(projectDirectory, '.millrace-bench/processing')
const resultsDirectory = resolve(projectDirectory, 'bench/results')
/** Who stores the flights, reads the results and may do everything. */
const user = 'admin'

/**
 * Measures all subjects in each round and returns the page.
 * @throws MillraceError 'verdict.failed' when a side has other results than it must have
 */
export async function benchProcessing(options: ProcessingOptions, say: Say): Promise<string> {
  const load = oneMinuteLoad()
  await rm(stateDirectory, { recursive: true, force: true })
  const installation = await openInstallation({
    ...{ stateDirectory, portBase: options.portBase, brokers: 3, java: javaEnvironment },
    platform: processingPlatform,
  })
  const jars = await buildStreams(installation.java, say)
  // A job that is measured is not taken up again after a crash: then it has failed.
  const flink = flinkServers(installation, () => Promise.resolve()).map(withAllCompilers)
  const jvm = flink.flatMap(({ command }) => command.arguments.filter(isOfJvm))
  const parts = [...brokerParts(installation), ...flink]
  const stack = createStack(installation, options.portBase, parts, progress(say))
  const measurements = await whileRunning(stack, (signal) =>
    runRounds({ installation, stack, jars, jvm, options, say, signal }),
  )
  await rm(stateDirectory, { recursive: true, force: true })
  return writeReport(reportOf(measurements, { ...options, jvm }, machineSince(load)), resultsDirectory)
}

/** On one machine the stack goes without the second compiler, so that it starts sooner; in production nobody does. */
function withAllCompilers<Server extends { readonly command: Command }>(server: Server): Server {
  const { command } = server
  return {
    ...server,
    command: { ...command, arguments: command.arguments.filter((word) => !word.startsWith('-XX:TieredStopAtLevel')) },
  }
}

/** Heap and collector. */
function isOfJvm(word: string): boolean {
  return /^-X(m[sx]\d|X:\+Use\w+GC$)/.test(word)
}

type Bench = {
  readonly installation: Installation
  readonly stack: Stack
  readonly jars: string
  /** What both JVMs are started with. */
  readonly jvm: readonly string[]
  readonly options: ProcessingOptions
  readonly say: Say
  readonly signal: AbortSignal
}

async function runRounds(bench: Bench): Promise<Measurement[]> {
  const { installation, stack, jars, jvm, options, say, signal } = bench
  const connection = await installation.kafkaConnection(user)
  const admin = openAdmin(connection)
  const pids = pidsOf(stack)
  const program = await openStreams(installation, jars, jvm)
  try {
    await makeTopics(installation, admin)
    say(`storing ${options.events} flights`)
    const schemaUrl = `${registryUrl(installation)}/schemas/ids/1`
    await storeFlights(connection, options.events, schemaUrl)
    const expected = expectedResults(options.events, works)
    const ground: Ground = { admin, connection, brokers: pids.brokers, expected, signal }
    const flink = flinkEngine(installation, schemaUrl, () => pids.of('flink'))
    const streams = (threads: number) => streamsEngine(program, threads, admin)
    const subjects = subjectsOf(flink, streams(2), streams(1))
    const measurements: Measurement[] = []
    // The first round is thrown away: it is there for the compilers of both JVMs.
    for (let round = 0; round <= options.rounds; round += 1) {
      // Nobody is always behind the same one.
      for (const { name, engine, works: computed } of round % 2 === 0 ? subjects : subjects.toReversed()) {
        signal.throwIfAborted()
        const measurement = { round, subject: name, ...(await measure(engine, computed, ground)) }
        say(lineOf(measurement, options.events))
        if (round > 0) measurements.push(measurement)
      }
    }
    return measurements
  } finally {
    await program.close()
    await admin.close()
  }
}

/** The topics of both sides. The times of results may be long ago: they are kept all the same. */
async function makeTopics({ platform, replication }: Installation, admin: Admin): Promise<void> {
  const own = [...eventTypesOf(platform).flatMap(topicsOfType), ...lateTopicsOf(platform)]
  const others = works.map((work) => ({
    name: streamsTopic(work),
    partitions: work.pipeline.result.partitions,
    config: { 'retention.ms': '-1' },
  }))
  await applyChanges(await planTopics([...own, ...others], replication.factor, admin), () => undefined)
}

function lineOf({ round, subject, works: names, running, whole }: Measurement, events: number): string {
  const { user: inUser, system } = running.cpu
  const numbers = `${(events / running.seconds).toFixed(0)} events/s, ${(events / (inUser + system)).toFixed(0)} a CPU-second`
  const cost = `${running.seconds.toFixed(1)} s, CPU ${inUser.toFixed(1)} + ${system.toFixed(1)} s, brokers ${running.brokersCpu.toFixed(1)} s, ${whole.seconds.toFixed(1)} s with the start`
  return `  ${round} ${subject.padEnd(9)} ${names.join('+').padEnd(16)} ${numbers}: ${cost}`
}
