import { MillraceError } from '@millrace/core/errors'
import type { Pipeline } from '@millrace/core/pipeline'
import { newestCheckpoint, pipelineCheckpoints } from './checkpoints.ts'
import { type CompiledPipeline, compilePipeline } from './compile.ts'
import { poll } from './deadline.ts'
import type { FlinkEnvironment } from './environment.ts'
import { type Intent, keepIntent, readIntent } from './intent.ts'
import {
  cancel,
  failureOf,
  fingerprintOf,
  hasEnded,
  type Job,
  jobs,
  progressOf,
  slotsTotal,
  stopWithSavepoint,
  taskManagerIds,
} from './job-manager.ts'
import { request } from './rest.ts'
import * as sql from './sql.ts'
import { sqlGateway } from './sql-gateway.ts'

/** Where a Flink cluster answers. */
export type FlinkCluster = {
  /** The JobManager's REST endpoint. */
  readonly url: string
  /** The SQL Gateway's REST endpoint. */
  readonly sqlGatewayUrl: string
}

/** What is submitted of a pipeline. */
type Submission = { readonly name: string; readonly statements: readonly string[] }

/** What `ensureJob` found, and did about it. */
export type Ensured =
  | { readonly action: 'unchanged'; readonly jobId: string }
  | { readonly action: 'submitted' | 'replaced'; readonly jobId: string; readonly restoredFrom: string | undefined }

const stopTimeoutMs = 60_000
const runningTimeoutMs = 120_000
/** A TaskManager that died is given up, started again and has registered by then. */
const slotsTimeoutMs = 30_000

/**
 * Waits until a cluster has so many TaskManagers and its SQL Gateway answers.
 * @throws MillraceError `flink.unavailable` when it takes too long, or at once when its JobManager does not answer.
 */
export async function awaitCluster(
  { url, sqlGatewayUrl }: FlinkCluster,
  taskManagers: number,
  timeoutMs: number,
): Promise<void> {
  await poll(`to gather ${taskManagers} TaskManagers and a SQL Gateway`, timeoutMs, async () => {
    if ((await taskManagerIds(url)).length < taskManagers) return undefined
    return request(new URL('/v1/info', sqlGatewayUrl), 'GET').catch(() => undefined)
  })
}

/**
 * Makes sure that the jobs of all these pipelines fit into a cluster together, or in a while, when TaskManagers that are starting are there.
 * @throws MillraceError `flink.refused` with the way out when they do not, `flink.unavailable`.
 */
export async function requireSlots(
  { url }: FlinkCluster,
  pipelines: readonly Pipeline[],
  timeoutMs = slotsTimeoutMs,
): Promise<void> {
  const needed = pipelines.reduce((sum, { parallelism }) => sum + parallelism, 0)
  const deadline = performance.now() + timeoutMs
  await poll('to say how many slots it has', timeoutMs * 2, async () => {
    const slots = await slotsTotal(url)
    if (slots >= needed) return slots
    if (performance.now() < deadline) return undefined
    throw new MillraceError(
      'flink.refused',
      `the pipelines need ${needed} slots, each as many as its parallelism, and Flink has ${slots}: lower their parallelism, or start it with more TaskManagers ("millrace up --flink cluster --task-managers <n>")`,
    )
  })
}

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
  { name, statements }: Submission,
  restoreFrom?: string,
): Promise<string> {
  const restore =
    restoreFrom === undefined
      ? []
      : [
          sql.set('execution.state-recovery.path', `file://${restoreFrom}`),
          sql.set('execution.state-recovery.claim-mode', 'CLAIM'),
        ]
  const rows = await sqlGateway({ url: sqlGatewayUrl }).run([...restore, ...statements])
  const jobId = rows.at(-1)?.[0]
  if (typeof jobId === 'string' && /^[0-9a-f]{32}$/.test(jobId)) return jobId
  throw new MillraceError('flink.refused', `Flink started no job for pipeline "${name}"`)
}

/**
 * Waits until all tasks of a job run.
 * @throws MillraceError `flink.refused` with the root cause when the job fails, keeps restarting or cannot take up its state, `flink.unavailable`
 * when it takes too long.
 */
export async function awaitRunning({ url }: FlinkCluster, jobId: string, timeoutMs = runningTimeoutMs): Promise<void> {
  const deadline = performance.now() + timeoutMs
  await poll(`to start job ${jobId}`, timeoutMs * 2, async (leftMs) => {
    const progress = await progressOf(url, jobId, leftMs)
    if (progress.kind === 'running') return progress
    if (progress.kind === 'ended') throw new MillraceError('flink.refused', `job ${jobId} ended: ${progress.reason}`)
    const reason = progress.kind === 'restarting' ? await failureOf(url, jobId) : ''
    if (unfit.test(reason)) throw new MillraceError('flink.refused', `job ${jobId} cannot take up its state: ${reason}`)
    if (performance.now() < deadline) return undefined
    throw new MillraceError(
      'flink.refused',
      `job ${jobId} does not run after ${timeoutMs} ms: ${await failureOf(url, jobId)}`,
    )
  })
}

/**
 * Makes sure that exactly one job runs for a pipeline, and that it is this pipeline: an unchanged job is left alone, a changed one is
 * stopped and goes on where it was, a missing one goes on from its newest checkpoint, also where it was stopped by hand.
 * @throws MillraceError `flink.unavailable`, `flink.refused`.
 */
export async function ensureJob(
  cluster: FlinkCluster,
  pipeline: Pipeline,
  environment: FlinkEnvironment,
): Promise<Ensured> {
  const compiled = compilePipeline(pipeline, environment)
  const { fingerprint, statements, counting, checkpointDirectory } = compiled
  const intended = { statements, stoppedMs: undefined }
  const found = await jobsOf(cluster, pipeline.name)
  const [only, ...others] = found
  if (only && others.length === 0 && (await fingerprintOf(cluster.url, only)) === fingerprint) {
    await keepIntent(checkpointDirectory, { ...intended, counting })
    return { action: 'unchanged', jobId: only.id }
  }
  await requireFit(pipeline, compiled)
  for (const job of found) await stopJob(cluster, job, checkpointDirectory)
  await keepIntent(checkpointDirectory, intended)
  const intent = await readIntent(checkpointDirectory)
  const started = await start(cluster, pipeline.name, checkpointDirectory, intent).catch((error: unknown) => {
    throw isUnfit(error) ? unfitFor(pipeline, `it is stopped, since Flink said: ${messageOf(error)}`, error) : error
  })
  await keepIntent(checkpointDirectory, { counting })
  return { action: found.length === 0 ? 'submitted' : 'replaced', ...started }
}

/**
 * Starts a job that a crash of the cluster has ended, as it was submitted, from its newest checkpoint.
 * @throws MillraceError `flink.unavailable`, `flink.refused`.
 */
export async function resumeJob(
  cluster: FlinkCluster,
  name: string,
  checkpointDirectory: string,
  intent: Intent,
): Promise<void> {
  await start(cluster, name, pipelineCheckpoints(checkpointDirectory, name), intent)
}

type Started = { readonly jobId: string; readonly restoredFrom: string | undefined }

/** What Flink does not take is not tried again after a crash. */
async function start(
  cluster: FlinkCluster,
  name: string,
  directory: string,
  { statements = [], anewMs }: Intent,
): Promise<Started> {
  const restoredFrom = await newestCheckpoint(directory, anewMs)
  try {
    const jobId = await submit(cluster, { name, statements }, restoredFrom)
    await awaitRunning(cluster, jobId)
    return { jobId, restoredFrom }
  } catch (error) {
    if (!(error instanceof MillraceError) || error.retryable) throw error
    if (isUnfit(error)) for (const job of await jobsOf(cluster, name)) await cancel(cluster.url, job.id, stopTimeoutMs)
    if ((await jobsOf(cluster, name)).length === 0) await keepIntent(directory, { statements: undefined })
    throw new MillraceError(error.code, `pipeline "${name}" does not start: ${error.message}`, { cause: error })
  }
}

/**
 * How Flink says that a job's state is not that of the job that it is to go on from: of an operator that there is no more, or, when its tasks
 * start, of other types.
 */
const unfit = /StateMigrationException|allowNonRestoredState|Failed to rollback to checkpoint\/savepoint/

function isUnfit(error: unknown): boolean {
  return error instanceof MillraceError && unfit.test(error.message)
}

/**
 * Whether a job of the pipeline can go on from what the one before has counted. Not in every change that Flink would take: to it a sum is a sum,
 * whatever it is of, and windows are windows.
 */
export async function fits({ counting, checkpointDirectory }: CompiledPipeline): Promise<boolean> {
  const { counting: counted, anewMs } = await readIntent(checkpointDirectory)
  if (counted === undefined || counted === counting) return true
  return (await newestCheckpoint(checkpointDirectory, anewMs)) === undefined
}

/** @throws MillraceError `flink.refused` when a changed pipeline cannot go on from what its job has counted. */
export async function requireFit(pipeline: Pipeline, compiled: CompiledPipeline): Promise<void> {
  if (!(await fits(compiled))) throw unfitFor(pipeline, 'its job is left as it is')
}

function unfitFor({ name, from }: Pipeline, consequence: string, cause?: unknown): MillraceError {
  return new MillraceError(
    'flink.refused',
    `pipeline "${name}" has changed so that what it had counted before does not fit: ${consequence}. Either take the change back and apply: it then goes on where it was. Or "millrace pipelines restart ${name} --from-beginning": it then reads all that ${from.topic} still holds, and publishes the results of those windows again.`,
    { cause },
  )
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/** What became of the jobs of a pipeline that was stopped. */
export type Stopped = {
  /** Whether there was one. */
  readonly ran: boolean
  /** `undefined` where none could be made: it goes on from its newest checkpoint. */
  readonly savepoint: string | undefined
}

/** Stops the job of a pipeline, if there is one, and leaves it so until `ensureJob` starts it again where it was. */
export async function stopByHand(
  cluster: FlinkCluster,
  pipeline: string,
  checkpointDirectory: string,
): Promise<Stopped> {
  const directory = pipelineCheckpoints(checkpointDirectory, pipeline)
  const { stoppedMs } = await readIntent(directory)
  // Before it is stopped: should Flink crash meanwhile, it is not started again.
  await keepIntent(directory, { stoppedMs: stoppedMs ?? Date.now() })
  try {
    return await stopAll(cluster, pipeline, directory)
  } catch (error) {
    await keepIntent(directory, { stoppedMs })
    throw error
  }
}

/** Stops the job of a pipeline that the definition has no more, if there is one. */
export async function stop(cluster: FlinkCluster, pipeline: string, checkpointDirectory: string): Promise<void> {
  const directory = pipelineCheckpoints(checkpointDirectory, pipeline)
  const { statements } = await readIntent(directory)
  if (statements !== undefined) await keepIntent(directory, { statements: undefined })
  await stopAll(cluster, pipeline, directory)
}

/**
 * Lets the next job of a pipeline begin at the first record that its topic holds, whatever it had counted before. Its checkpoints stay; none of
 * them is gone on from.
 */
export async function beginAnew(pipeline: string, checkpointDirectory: string): Promise<void> {
  await keepIntent(pipelineCheckpoints(checkpointDirectory, pipeline), { anewMs: Date.now() })
}

async function stopAll(cluster: FlinkCluster, pipeline: string, directory: string): Promise<Stopped> {
  const found = await jobsOf(cluster, pipeline)
  let savepoint: string | undefined
  for (const job of found) savepoint = await stopJob(cluster, job, directory)
  return { ran: found.length > 0, savepoint: savepoint?.replace(/^file:/, '') }
}

async function jobsOf(cluster: FlinkCluster, pipeline: string): Promise<Job[]> {
  return (await listJobs(cluster)).filter(({ name }) => name === pipeline)
}

/** With a savepoint where possible; a job that is just restarting can make none, and has its newest checkpoint. */
async function stopJob({ url }: FlinkCluster, { id, state }: Job, directory: string): Promise<string | undefined> {
  if (state === 'RUNNING') {
    const savepoint = await stopWithSavepoint(url, id, directory, stopTimeoutMs).catch(() => undefined)
    if (savepoint !== undefined) return savepoint
  }
  await cancel(url, id, stopTimeoutMs)
  return undefined
}
