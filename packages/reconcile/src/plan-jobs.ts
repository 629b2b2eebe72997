import { MillraceError } from '@millrace/core/errors'
import type { Pipeline } from '@millrace/core/pipeline'
import { valueSubject } from '@millrace/core/topic-name'
import { compilePipeline } from '@millrace/flink/compile'
import type { FlinkEnvironment } from '@millrace/flink/environment'
import { fingerprintOf, type Job } from '@millrace/flink/job-manager'
import { ensureJob, type FlinkCluster, listJobs, stop } from '@millrace/flink/jobs'
import type { Registry } from '@millrace/schemas/registry'
import type { Change } from './change.ts'

/** The cluster that runs pipelines, and what their SQL depends on. */
export type Jobs = {
  readonly cluster: FlinkCluster
  readonly environment: Omit<FlinkEnvironment, 'schemaUrl'>
  /** The base of the registry's API: what a result's `ce_dataschema` begins with. */
  readonly registryUrl: string
}

/** The pipelines whose job is missing, changed or running more than once, and the jobs that no pipeline wants any more. */
export async function planJobs(pipelines: readonly Pipeline[], jobs: Jobs, registry: Registry): Promise<Change[]> {
  const running = await listJobs(jobs.cluster)
  const changes = pipelines.map((pipeline) => planJob(pipeline, running, jobs, registry))
  return [...(await Promise.all(changes)).flat(), ...planRemovals(pipelines, running, jobs)]
}

/** The jobs that a crash of the cluster has ended. What was never applied, and so has no schema, never ran. */
export async function planResumption(
  pipelines: readonly Pipeline[],
  jobs: Jobs,
  registry: Registry,
): Promise<Change[]> {
  const running = await listJobs(jobs.cluster)
  const changes = pipelines.map(async (pipeline) => {
    const wasApplied = (await schemaUrlOf(pipeline, jobs, registry)) !== undefined
    return wasApplied ? planJob(pipeline, running, jobs, registry) : []
  })
  return (await Promise.all(changes)).flat()
}

async function planJob(pipeline: Pipeline, running: readonly Job[], jobs: Jobs, registry: Registry): Promise<Change[]> {
  const [only, ...others] = running.filter((job) => job.name === pipeline.name)
  const schemaUrl = await schemaUrlOf(pipeline, jobs, registry)
  if (only && others.length === 0 && schemaUrl !== undefined) {
    const compiled = compilePipeline(pipeline, { ...jobs.environment, schemaUrl: () => schemaUrl })
    if ((await fingerprintOf(jobs.cluster.url, only)) === compiled.fingerprint) return []
  }
  const action = only ? 'update' : 'create'
  const detail = `${pipeline.from.topic} → ${pipeline.result.topic}`
  const apply = () => ensure(pipeline, jobs, registry)
  return [{ resource: 'job', name: pipeline.name, action, detail, apply }]
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
  const schemaUrl = await schemaUrlOf(pipeline, jobs, registry)
  if (schemaUrl === undefined) {
    throw new MillraceError('registry.refused', `the schema of ${pipeline.result.name} is not in the registry`)
  }
  await ensureJob(jobs.cluster, pipeline, { ...jobs.environment, schemaUrl: () => schemaUrl })
}

async function schemaUrlOf({ result }: Pipeline, jobs: Jobs, registry: Registry): Promise<string | undefined> {
  const found = await registry.lookUp(valueSubject(result.topic), 'JSON', JSON.stringify(result.schema))
  return found && `${jobs.registryUrl}/schemas/ids/${found.id}`
}
