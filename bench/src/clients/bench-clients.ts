/**
 * The candidates side by side, some at a time: each has a process of its own, and a fault befalls them at the same moment. All write to one
 * topic, which is read once: what is whose, the CloudEvents source says.
 */
import { mkdir, rm } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { definePlatform } from '@millrace/core/platform'
import { keyOfId } from '@millrace/drills/keyed-load'
import { openGround } from '@millrace/drills/stage'
import { type Admin, openAdmin } from '@millrace/kafka/admin'
import { deleteVerdictGroups, readTopics } from '@millrace/ledger/console-consumer'
import { javaEnvironment } from '@millrace/stack/environment'
import { type Installation, openInstallation } from '@millrace/stack/installation'
import { kafkaToolsOf } from '@millrace/stack/kafka-tools'
import { projectDirectory } from '@millrace/stack/layout'
import { brokerParts } from '@millrace/stack/parts'
import { progress } from '@millrace/stack/progress'
import { writeSecret } from '@millrace/stack/secrets'
import { createStack } from '@millrace/stack/stack'
import { waitUntil } from '@millrace/stack/wait'
import { kafkaSettingsFor } from '../kafka-settings.ts'
import { machineSince, oneMinuteLoad } from '../machine.ts'
import type { ClientsOptions } from '../options.ts'
import { whileRunning } from '../while-running.ts'
import { type Candidate, candidatesFor } from './candidates.ts'
import type { ClientSettings } from './client.ts'
import { type Fault, faultsNamed } from './faults.ts'
import { type LoadEnd, type LoadProcess, startLoad } from './load-process.ts'
import { type ClientRun, reportOf } from './report.ts'
import { splitBySource } from './topic-file.ts'
import { judgeClient } from './verdict.ts'
import { writeReport } from './write-report.ts'

type Bench = {
  readonly installation: Installation
  readonly admin: Admin
  readonly candidates: readonly Candidate[]
  readonly options: ClientsOptions
  readonly say: (line: string) => void
  readonly signal: AbortSignal
}
/** A candidate under one fault, and the files that tell of it. */
type Run = {
  readonly candidate: Candidate
  readonly topic: string
  readonly source: string
  readonly ledgerFile: string
  readonly topicFile: string
  readonly file: (name: string) => string
}
type Ended = { readonly run: Run; readonly end: LoadEnd }

const stateDirectory = resolve(projectDirectory, '.millrace-bench/clients')
const resultsDirectory = resolve(projectDirectory, 'bench/results')
const partitions = 12
const recordsPerSecond = 1_000
/** With more at once two cores are too few, and what is measured is who gets any of them. */
const together = 4
const readyDeadlineMs = 180_000
const warmMs = 6_000
const recoverMs = 12_000
/** Who may do everything: what a client is allowed is not compared here. */
const user = 'admin'

/**
 * Runs the faults in each round and returns the page; what is known by then is written after every fault.
 * @throws MillraceError 'config.invalid' for options that cannot be; 'stack.failed' when the brokers do not start or come back;
 * 'verdict.failed' when the topic cannot be read
 */
export async function benchClients(options: ClientsOptions, say: (line: string) => void): Promise<string> {
  const candidates = candidatesFor(options.confluentDirectory)
  const load = oneMinuteLoad()
  await rm(stateDirectory, { recursive: true, force: true })
  const installation = await openInstallation({
    ...{ stateDirectory, portBase: options.portBase, brokers: 3, faults: true, java: javaEnvironment },
    platform: definePlatform({ events: [] }),
  })
  const stack = createStack(installation, options.portBase, brokerParts(installation), progress(say))
  return whileRunning(stack, async (signal) => {
    const admin = openAdmin(await installation.kafkaConnection(user))
    const bench = { installation, admin, candidates, options, say, signal }
    const runs: ClientRun[] = []
    let page = ''
    try {
      for (let round = 1; round <= options.rounds; round += 1) {
        for (const fault of faultsNamed(options.faults)) {
          runs.push(...(await underFault(bench, fault, round)))
          page = await writeReport(reportOf(runs, candidates, machineSince(load)), resultsDirectory)
        }
      }
    } finally {
      await admin.close()
    }
    return page
  })
}

async function underFault(bench: Bench, fault: Fault, round: number): Promise<ClientRun[]> {
  const { installation, admin, candidates, say } = bench
  const name = `${round}.${fault.name}`
  const directory = join(stateDirectory, 'runs', name)
  await mkdir(directory, { recursive: true, mode: 0o700 })
  const topic = `bench.clients.${name}`
  await admin.createTopic({ name: topic, partitions, replication: installation.replication.factor, config: {} })
  const ended: Ended[] = []
  for (let first = 0; first < candidates.length; first += together) {
    const group = candidates.slice(first, first + together)
    const runs = group.map((candidate) => runOf(candidate, topic, directory))
    say(`${round} ${fault.name}: ${fault.says}: ${group.map((candidate) => candidate.name).join(', ')} …`)
    const ends = await endsUnder(bench, fault, runs)
    ended.push(...runs.map((run, index) => ({ run, end: ends[index] ?? { silenceMs: null, died: null } })))
  }
  say('reading the topic with Kafka’s console consumer, and comparing …')
  const verdicts = await judged(bench, topic, directory, ended)
  await admin.deleteTopics([topic])
  await rm(directory, { recursive: true, force: true })
  return verdicts.map((verdict) => ({ round, fault: fault.name, ...verdict }))
}

function runOf(candidate: Candidate, topic: string, directory: string): Run {
  const file = (ending: string) => join(directory, `${candidate.name}.${ending}`)
  const source = `/bench/clients/${candidate.name}`
  return { candidate, topic, source, ledgerFile: file('ledger'), topicFile: file('topic'), file }
}

/** Load on some candidates, the fault, and some time after it. No process is left running. */
async function endsUnder(bench: Bench, fault: Fault, runs: readonly Run[]): Promise<LoadEnd[]> {
  const { installation, signal } = bench
  const ground = openGround({ installation, signal })
  await ground.brokersReady()
  const loads: LoadProcess[] = []
  const areReady = () => Promise.resolve(loads.every(({ isReady }) => isReady()))
  try {
    for (const run of runs) loads.push(startLoad(await settingsFile(bench, run), run.file('stderr')))
    await waitUntil('a client', readyDeadlineMs, areReady, signal)
    await ground.wait(warmMs)
    await fault.befall(ground)
    await delay(recoverMs, undefined, { signal })
    return await Promise.all(loads.map(({ stop }) => stop()))
  } finally {
    for (const { kill } of loads) kill()
  }
}

async function settingsFile({ installation, options }: Bench, run: Run): Promise<string> {
  const { candidate, topic, source, ledgerFile } = run
  const { confluentDirectory } = options
  const client: ClientSettings = {
    ...{ topic, partitions, kafka: kafkaSettingsFor(installation, candidate.name, user) },
    ...(confluentDirectory === undefined ? {} : { confluentDirectory }),
  }
  const file = run.file('json')
  await writeSecret(file, JSON.stringify({ candidate: candidate.name, source, recordsPerSecond, ledgerFile, client }))
  return file
}

async function judged(
  { installation, admin, say, signal }: Bench,
  topic: string,
  directory: string,
  ended: readonly Ended[],
): Promise<Omit<ClientRun, 'round' | 'fault'>[]> {
  const file = join(directory, 'topic')
  await readTopics(await kafkaToolsOf(installation, user), [{ topic, file }], directory, signal)
  await deleteVerdictGroups(admin, user)
  await splitBySource(file, new Map(ended.map(({ run }) => [run.source, run.topicFile])))
  const results: Omit<ClientRun, 'round' | 'fault'>[] = []
  for (const { run, end } of ended) {
    const verdict = await judgeClient(run.file('verdict.duckdb'), { ...run, keyOfId })
    const result = { candidate: run.candidate.name, ...verdict, ...end }
    results.push(result)
    say(`  ${JSON.stringify(result)}`)
  }
  return results
}
