import { MillraceError } from '@millrace/core/errors'
import type { Pipeline } from '@millrace/core/pipeline'
import { valueSubject } from '@millrace/core/topic-name'
import { pipelineCheckpoints } from '@millrace/flink/checkpoints'
import { compilePipeline } from '@millrace/flink/compile'
import type { FlinkEnvironment } from '@millrace/flink/environment'
import { intendedJobs, readIntent } from '@millrace/flink/intent'
import { fingerprintOf, type Job } from '@millrace/flink/job-manager'
import { ensureJob, fits, type FlinkCluster, listJobs, requireSlots, resumeJob, stop } from '@millrace/flink/jobs'
import type { Registry } from '@millrace/schemas/registry'
import type { Change } from './change.ts'

/** The cluster that runs pipelines, and what their SQL depends on. */
export type Jobs = {
  readonly cluster: FlinkCluster
  readonly environment: Omit<FlinkEnvironment, 'schemaUrl'>
  /** The base of the registry's API: what a result's `ce_dataschema` begins with. */
  readonly registryUrl: string
}

/**
 * The jobs that no pipeline wants any more, whose slots are needed, and the pipelines whose job is missing, stopped, changed or running more than once.
 * @throws MillraceError `flink.refused` when the pipelines need more slots than there are
 */
export async function planJobs(pipelines: readonly Pipeline[], jobs: Jobs, registry: Registry): Promise<Change[]> {
  const running = await listJobs(jobs.cluster)
  const planned = pipelines.map((pipeline) => planJob(pipeline, running, jobs, registry))
  const changes = (await Promise.all(planned)).flat()
  if (changes.length > 0) await requireSlots(jobs.cluster, pipelines)
  return [...planRemovals(pipelines, running, jobs), ...changes]
}

async function planJob(pipeline: Pipeline, running: readonly Job[], jobs: Jobs, registry: Registry): Promise<Change[]> {
  const { name, from, result } = pipeline
  const [only, ...others] = running.filter((job) => job.name === name)
  const { stoppedMs } = await readIntent(pipelineCheckpoints(jobs.environment.checkpointDirectory, name))
  const environment = await jobEnvironment(pipeline, jobs, registry)
  const compiled = environment && compilePipeline(pipeline, environment)
  if (only && others.length === 0 && compiled && stoppedMs === undefined) {
    if ((await fingerprintOf(jobs.cluster.url, only)) === compiled.fingerprint) return []
  }
  const topics = `${from.topic} → ${result.topic}`
  const notes = [
    ...(stoppedMs === undefined ? [] : ['was stopped by hand']),
    ...(compiled && !(await fits(compiled)) ? ['will be refused, since what it has counted does not fit'] : []),
  ]
  return [
    {
      resource: 'job',
      name,
      action: only ? 'update' : 'create',
      detail: [...notes, topics].join('; '),
      apply: () => ensure(pipeline, jobs, registry),
    },
  ]
}

function planRemovals(pipelines: readonly Pipeline[], running: readonly Job[], jobs: Jobs): Change[] {
  const wanted = new Set(pipelines.map(({ name }) => name))
  const unwanted = new Set(running.map(({ name }) => name).filter((name) => !wanted.has(name)))
  return [...unwanted].map((name) => ({
    resource: 'job',
    name,
    action: 'delete',
    detail: 'no pipeline of the definition has this name',
    apply: () => stop(jobs.cluster, name, jobs.environment.checkpointDirectory),
  }))
}

async function ensure(pipeline: Pipeline, jobs: Jobs, registry: Registry): Promise<void> {
  await ensureJob(jobs.cluster, pipeline, await requireEnvironment(pipeline, jobs, registry))
}

/** The jobs that a crash of the cluster has ended, as they were; none that was stopped by hand. */
export async function planResumption({ cluster, environment: { checkpointDirectory } }: Jobs): Promise<Change[]> {
  const running = new Set((await listJobs(cluster)).map(({ name }) => name))
  const ended = [...(await intendedJobs(checkpointDirectory))].filter(([name]) => !running.has(name))
  return ended.map(([name, intent]) => ({
    resource: 'job',
    name,
    action: 'create',
    detail: 'it ended with Flink',
    apply: () => resumeJob(cluster, name, checkpointDirectory, intent),
  }))
}

/** What a pipeline's SQL depends on, or `undefined` while the schema of its result is not in the registry. */
async function jobEnvironment(
  { result }: Pipeline,
  { environment, registryUrl }: Jobs,
  registry: Registry,
): Promise<FlinkEnvironment | undefined> {
  const found = await registry.lookUp(valueSubject(result.topic), 'JSON', JSON.stringify(result.schema))
  return found && { ...environment, schemaUrl: () => `${registryUrl}/schemas/ids/${found.id}` }
}

/**
 * What a pipeline's SQL depends on.
 * @throws MillraceError `registry.refused` while the schema of its result is not in the registry.
 */
export async function requireEnvironment(
  pipeline: Pipeline,
  jobs: Jobs,
  registry: Registry,
): Promise<FlinkEnvironment> {
  const environment = await jobEnvironment(pipeline, jobs, registry)
  if (environment) return environment
  throw new MillraceError(
    'registry.refused',
    `the schema of ${pipeline.result.name} is not in the registry: apply the definition first`,
  )
}
