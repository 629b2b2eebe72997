/** `millrace pipelines`: the jobs of the definition's pipelines, and what is done to one by hand. */
import { accountAnew, accountsTopic } from '@millrace/core/account'
import { MillraceError } from '@millrace/core/errors'
import { type Pipeline, pipelineReader } from '@millrace/core/pipeline'
import type { Platform } from '@millrace/core/platform'
import { compilePipeline } from '@millrace/flink/compile'
import { beginAnew, ensureJob, listJobs, requireFit, stopByHand, type Stopped } from '@millrace/flink/jobs'
import type { KafkaConnection } from '@millrace/kafka/connection'
import { openProducer } from '@millrace/kafka/producer'
import type { World } from '@millrace/reconcile/plan-definition'
import { requireEnvironment } from '@millrace/reconcile/plan-jobs'
import type { Installation } from '@millrace/stack/installation'
import { openWorld } from '@millrace/stack/world'
import { type PipelineState, readLedger, stateOf } from './pipeline-state.ts'
import { runningInstallation } from './running.ts'
import type { RunningOptions } from './settings.ts'

type Place = { readonly installation: Installation; readonly platform: Platform; readonly world: World }

export type ShowOptions = RunningOptions & { readonly sql?: boolean }
export type RestartOptions = RunningOptions & { readonly fromBeginning?: boolean }

export type Shown = PipelineState & { readonly sql?: readonly string[] }
export type StopAnswer = Stopped & { readonly name: string; readonly state: 'stopped' }
export type RestartAnswer = {
  readonly name: string
  readonly state: 'running'
  readonly jobId: string
  /** The topic from whose beginning it began anew. */
  readonly anewFrom?: string
  /** The savepoint or checkpoint from which it goes on. */
  readonly restoredFrom?: string | undefined
}

/** All pipelines of the definition. */
export async function listPipelines(options: RunningOptions): Promise<PipelineState[]> {
  return at(options, (place) => statesOf(place.platform.pipelines, place))
}

/** @throws MillraceError 'stack.failed' for a pipeline that the definition does not have; so do all that take a name. */
export async function showPipeline(name: string, { sql, ...options }: ShowOptions): Promise<Shown> {
  return at(options, async (place) => {
    const pipeline = named(name, place.platform)
    const { jobs, registry } = place.world
    const [state] = await statesOf([pipeline], place)
    if (state === undefined) throw new RangeError(`nothing was told of ${name}`)
    if (!sql) return state
    return { ...state, sql: compilePipeline(pipeline, await requireEnvironment(pipeline, jobs, registry)).statements }
  })
}

/** Stops a pipeline's job with a savepoint. It stays stopped until it is restarted or the definition is applied. */
export async function stopPipeline(name: string, options: RunningOptions): Promise<StopAnswer> {
  return at(options, async ({ platform, world: { jobs } }) => {
    const stopped = await stopByHand(jobs.cluster, named(name, platform).name, jobs.environment.checkpointDirectory)
    return { name, state: 'stopped', ...stopped }
  })
}

/** Stops a pipeline's job, where it runs, and starts it where it was; or, where that is asked for, from the beginning of its topic. */
export async function restartPipeline(
  name: string,
  { fromBeginning = false, ...options }: RestartOptions,
): Promise<RestartAnswer> {
  return at(options, async ({ installation, platform, world: { jobs, registry } }) => {
    const pipeline = named(name, platform)
    const environment = await requireEnvironment(pipeline, jobs, registry)
    if (!fromBeginning) await requireFit(pipeline, compilePipeline(pipeline, environment))
    await stopByHand(jobs.cluster, name, environment.checkpointDirectory)
    if (fromBeginning) {
      await tellAnew(pipeline, await installation.kafkaConnection('admin'))
      await beginAnew(name, environment.checkpointDirectory)
    }
    const ensured = await ensureJob(jobs.cluster, pipeline, environment)
    const begun = fromBeginning
      ? { anewFrom: pipeline.from.topic }
      : { restoredFrom: ensured.action === 'unchanged' ? undefined : ensured.restoredFrom }
    return { name, state: 'running', jobId: ensured.jobId, ...begun }
  })
}

/** So that the accounting does not count twice what is read twice. Between the accounts of the job before and those of the next. */
async function tellAnew({ name, from }: Pipeline, connection: KafkaConnection): Promise<void> {
  const reader = pipelineReader(name)
  const producer = openProducer(connection)
  try {
    await producer.send({
      topic: accountsTopic,
      key: Buffer.from(reader),
      value: Buffer.from(JSON.stringify(accountAnew(reader, from.topic))),
      headers: new Map(),
      timestampMs: Date.now(),
    })
  } finally {
    await producer.close()
  }
}

async function statesOf(pipelines: readonly Pipeline[], { installation, world }: Place): Promise<PipelineState[]> {
  const { admin, jobs } = world
  const [running, ledger] = await Promise.all([listJobs(jobs.cluster), readLedger(installation)])
  return Promise.all(pipelines.map((pipeline) => stateOf(pipeline, { admin, jobs, running, ledger })))
}

function named(name: string, { pipelines }: Platform): Pipeline {
  const found = pipelines.find((pipeline) => pipeline.name === name)
  if (found) return found
  const names = pipelines.map((pipeline) => pipeline.name).join(', ')
  throw new MillraceError(
    'stack.failed',
    `there is no pipeline "${name}": ${names === '' ? 'the definition has none' : `there are ${names}`}`,
  )
}

async function at<T>(options: RunningOptions, work: (place: Place) => Promise<T>): Promise<T> {
  const { installation, platform } = await runningInstallation(options)
  const { world, close } = await openWorld(installation)
  try {
    return await work({ installation, platform, world })
  } finally {
    await close()
  }
}
