import { MillraceError } from '@millrace/core/errors'
import { isJsonObject } from '@millrace/core/json'
import { fingerprintParameter } from './compile.ts'
import { poll } from './deadline.ts'
import { objectsOf, request, rootCause, textOf } from './rest.ts'

/** A job as Flink's JobManager knows it. */
export type Job = {
  readonly id: string
  readonly name: string
  readonly state: JobState
  /** Milliseconds since the epoch. */
  readonly startedMs: number
}

const states = [
  'INITIALIZING',
  'CREATED',
  'RUNNING',
  'FAILING',
  'FAILED',
  'CANCELLING',
  'CANCELED',
  'FINISHED',
  'RESTARTING',
  'SUSPENDED',
  'RECONCILING',
] as const
export type JobState = (typeof states)[number]

const ended: readonly JobState[] = ['FAILED', 'CANCELED', 'FINISHED', 'SUSPENDED']

export function hasEnded(state: JobState): boolean {
  return ended.includes(state)
}

/** Every job that the cluster remembers, also those that have ended. */
export async function jobs(url: string): Promise<Job[]> {
  const answer = await request(new URL('/jobs/overview', url), 'GET')
  return objectsOf(answer['jobs']).flatMap((job) => {
    const [id, name] = [textOf(job['jid']), textOf(job['name'])]
    const state = states.find((known) => known === job['state'])
    const startedMs = Number(job['start-time'])
    return id === undefined || name === undefined || state === undefined ? [] : [{ id, name, state, startedMs }]
  })
}

/** The fingerprint of the pipeline from which a job was compiled, or `undefined` when it carries none. */
export async function fingerprintOf(url: string, job: Job): Promise<string | undefined> {
  const answer = await request(new URL(`/jobs/${job.id}/config`, url), 'GET')
  const execution = answer['execution-config']
  const parameters = isJsonObject(execution) ? execution['user-config'] : undefined
  return isJsonObject(parameters) ? textOf(parameters[fingerprintParameter]) : undefined
}

/** One of the tasks that a job is made of, each as often as its parallelism says. */
export type Task = { readonly id: string; readonly status: string | undefined; readonly parallelism: number }

/** What is known of one job; its state is `undefined` where Flink says one that is not known here. */
export type JobDetail = { readonly state: JobState | undefined; readonly tasks: readonly Task[] }

export async function detailOf(url: string, id: string, timeoutMs?: number): Promise<JobDetail> {
  const answer = await request(new URL(`/jobs/${id}`, url), 'GET', undefined, timeoutMs)
  const tasks = objectsOf(answer['vertices']).map((task) => ({
    id: textOf(task['id']) ?? '',
    status: textOf(task['status']),
    parallelism: Number(task['parallelism']),
  }))
  return { state: states.find((known) => known === answer['state']), tasks }
}

/** The TaskManagers that have registered, those that died since and were not given up yet among them. */
export async function taskManagerIds(url: string): Promise<string[]> {
  const answer = await request(new URL('/taskmanagers', url), 'GET')
  return objectsOf(answer['taskmanagers']).flatMap(({ id }) => textOf(id) ?? [])
}

/** The slots of all TaskManagers, taken or free. */
export async function slotsTotal(url: string): Promise<number> {
  const answer = await request(new URL('/overview', url), 'GET')
  return Number(answer['slots-total'])
}

export type JobProgress =
  | { readonly kind: 'running' | 'starting' | 'restarting' | 'stopping' }
  | { readonly kind: 'ended'; readonly reason: string }

/** How far a job is, and why where it has ended. */
export async function progressOf(url: string, id: string, timeoutMs?: number): Promise<JobProgress> {
  const kind = progressKindOf(await detailOf(url, id, timeoutMs))
  return kind === 'ended' ? { kind, reason: await failureOf(url, id) } : { kind }
}

/** Whether all tasks of a job run: the job itself says RUNNING already while they are still being started. */
export function progressKindOf({ state, tasks }: JobDetail): JobProgress['kind'] {
  if (state !== undefined && hasEnded(state)) return 'ended'
  if (state === 'RESTARTING' || state === 'FAILING') return 'restarting'
  if (state === 'CANCELLING') return 'stopping'
  const runs = state === 'RUNNING' && tasks.length > 0 && tasks.every(({ status }) => status === 'RUNNING')
  return runs ? 'running' : 'starting'
}

/** The root cause of a job's last failure. */
export async function failureOf(url: string, id: string): Promise<string> {
  return (await lastFailureOf(url, id))?.reason ?? 'Flink gives no reason'
}

/** A job's last failure, if it had one: its root cause, and when it was, in milliseconds since the epoch. */
export async function lastFailureOf(
  url: string,
  id: string,
): Promise<{ readonly reason: string; readonly atMs: number } | undefined> {
  const answer = await request(new URL(`/jobs/${id}/exceptions`, url), 'GET')
  const history = answer['exceptionHistory']
  const [latest] = isJsonObject(history) ? objectsOf(history['entries']) : []
  const trace = textOf(latest?.['stacktrace'])
  return trace === undefined ? undefined : { reason: rootCause(trace), atMs: Number(latest?.['timestamp']) }
}

/**
 * Stops a job and keeps where it was in a savepoint, so that its results are all committed.
 * @returns the savepoint's path.
 */
export async function stopWithSavepoint(
  url: string,
  id: string,
  directory: string,
  timeoutMs: number,
): Promise<string> {
  const target = { targetDirectory: `file://${directory}`, drain: false }
  const started = await request(new URL(`/jobs/${id}/stop`, url), 'POST', target, timeoutMs)
  const trigger = textOf(started['request-id']) ?? ''
  return poll(`to stop job ${id}`, timeoutMs, async (leftMs) => {
    const answer = await request(new URL(`/jobs/${id}/savepoints/${trigger}`, url), 'GET', undefined, leftMs)
    const [status, operation] = [answer['status'], answer['operation']]
    if (!isJsonObject(status) || status['id'] !== 'COMPLETED' || !isJsonObject(operation)) return undefined
    const location = textOf(operation['location'])
    if (location !== undefined) return location
    const failure = operation['failure-cause']
    const trace = isJsonObject(failure) ? textOf(failure['stack-trace']) : undefined
    throw new MillraceError('flink.refused', `Flink made no savepoint of job ${id}: ${rootCause(trace ?? '')}`)
  })
}

/** Cancels a job; its newest checkpoint stays. */
export async function cancel(url: string, id: string, timeoutMs: number): Promise<void> {
  await request(new URL(`/jobs/${id}`, url), 'PATCH', undefined, timeoutMs)
  await poll(`to cancel job ${id}`, timeoutMs, async (leftMs) => {
    const { state } = await detailOf(url, id, leftMs)
    return state !== undefined && hasEnded(state) ? state : undefined
  })
}
