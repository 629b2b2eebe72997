import { MillraceError } from '@millrace/core/errors'
import type { Pipeline } from '@millrace/core/pipeline'
import { newestCheckpoint, pipelineCheckpoints } from './checkpoints.ts'
import { compilePipeline, type CompiledPipeline } from './compile.ts'
import { poll } from './deadline.ts'
import type { FlinkEnvironment } from './environment.ts'
import {
  cancel,
  failureOf,
  fingerprintOf,
  hasEnded,
  type Job,
  jobs,
  progressOf,
  stopWithSavepoint,
} from './job-manager.ts'
import * as sql from './sql.ts'
import { sqlGateway } from './sql-gateway.ts'

/** Where a Flink cluster answers. */
export type FlinkCluster = {
  /** The JobManager's REST endpoint. */
  readonly url: string
  /** The SQL Gateway's REST endpoint. */
  readonly sqlGatewayUrl: string
}

/** What `ensureJob` found, and did about it. */
export type Ensured =
  | { readonly action: 'unchanged'; readonly jobId: string }
  | { readonly action: 'submitted' | 'replaced'; readonly jobId: string; readonly restoredFrom: string | undefined }

const stopTimeoutMs = 60_000
const runningTimeoutMs = 120_000

/** The jobs that have not ended. */
export async function listJobs({ url }: FlinkCluster): Promise<Job[]> {
  return (await jobs(url)).filter(({ state }) => !hasEnded(state))
}

/**
 * Starts a job, from a checkpoint or savepoint where one is given, else from the beginning of its topic. Flink takes the
 * checkpoint over, and deletes it when the job has newer ones.
 * @returns the job's id.
 * @throws MillraceError `flink.unavailable`, `flink.refused`.
 */
export async function submit(
  { sqlGatewayUrl }: FlinkCluster,
  { name, statements }: CompiledPipeline,
  restoreFrom?: string,
): Promise<string> {
  const restore =
    restoreFrom === undefined
      ? []
      : [
          sql.set('execution.state-recovery.path', `file://${restoreFrom}`),
          sql.set('execution.state-recovery.claim-mode', 'CLAIM'),
        ]
  const rows = await planInTurn(() => sqlGateway({ url: sqlGatewayUrl }).run([...restore, ...statements]))
  const jobId = rows.at(-1)?.[0]
  if (typeof jobId === 'string' && /^[0-9a-f]{32}$/.test(jobId)) return jobId
  throw new MillraceError('flink.refused', `Flink started no job for pipeline "${name}"`)
}

let planned: Promise<unknown> = Promise.resolve()

/**
 * Flink numbers the parts of a plan by a counter of its JVM, and these numbers are in the ids of some operators: of two jobs that are planned
 * at once, neither would fit the checkpoints of one that was planned alone (seen with the functions of corrected results, Flink 2.3.0).
 */
async function planInTurn<T>(plan: () => Promise<T>): Promise<T> {
  const own = planned.then(plan)
  planned = own.catch(() => undefined)
  return own
}

/**
 * Waits until all tasks of a job run.
 * @throws MillraceError `flink.refused` with the root cause when the job fails or keeps restarting, `flink.unavailable` when it takes too long.
 */
export async function awaitRunning({ url }: FlinkCluster, jobId: string, timeoutMs = runningTimeoutMs): Promise<void> {
  const deadline = performance.now() + timeoutMs
  await poll(`to start job ${jobId}`, timeoutMs * 2, async (leftMs) => {
    const progress = await progressOf(url, jobId, leftMs)
    if (progress.kind === 'running') return progress
    if (progress.kind === 'ended') throw new MillraceError('flink.refused', `job ${jobId} ended: ${progress.reason}`)
    if (performance.now() < deadline) return undefined
    const reason = await failureOf(url, jobId)
    throw new MillraceError('flink.refused', `job ${jobId} does not run after ${timeoutMs} ms: ${reason}`)
  })
}

/**
 * Makes sure that exactly one job runs for a pipeline, and that it is this pipeline: an unchanged job is left alone, a changed one is
 * stopped and goes on where it was, a missing one goes on from its newest checkpoint.
 * @throws MillraceError `flink.unavailable`, `flink.refused`.
 */
export async function ensureJob(
  cluster: FlinkCluster,
  pipeline: Pipeline,
  environment: FlinkEnvironment,
): Promise<Ensured> {
  const compiled = compilePipeline(pipeline, environment)
  const found = await jobsOf(cluster, pipeline.name)
  const [only, ...others] = found
  if (only && others.length === 0 && (await fingerprintOf(cluster.url, only)) === compiled.fingerprint) {
    return { action: 'unchanged', jobId: only.id }
  }
  for (const job of found) await stopJob(cluster, job, compiled.checkpointDirectory)
  const restoredFrom = await newestCheckpoint(compiled.checkpointDirectory)
  const jobId = await submit(cluster, compiled, restoredFrom)
  await awaitRunning(cluster, jobId)
  return { action: found.length === 0 ? 'submitted' : 'replaced', jobId, restoredFrom }
}

/** Stops the job of a pipeline, if there is one; `ensureJob` starts it again where it was. */
export async function stop(cluster: FlinkCluster, pipeline: string, checkpointDirectory: string): Promise<void> {
  const directory = pipelineCheckpoints(checkpointDirectory, pipeline)
  for (const job of await jobsOf(cluster, pipeline)) await stopJob(cluster, job, directory)
}

async function jobsOf(cluster: FlinkCluster, pipeline: string): Promise<Job[]> {
  return (await listJobs(cluster)).filter(({ name }) => name === pipeline)
}

/** With a savepoint where possible; a job that is just restarting can make none, and has its newest checkpoint. */
async function stopJob({ url }: FlinkCluster, { id, state }: Job, directory: string): Promise<void> {
  if (state === 'RUNNING') {
    const stopped = await stopWithSavepoint(url, id, directory, stopTimeoutMs).catch(() => undefined)
    if (stopped !== undefined) return
  }
  await cancel(url, id, stopTimeoutMs)
}
