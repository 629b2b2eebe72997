import { earliestTimeMs } from '@millrace/core/cloud-event'
import { isJsonObject, type JsonObject } from '@millrace/core/json'
import { poll } from './deadline.ts'
import { detailOf, type Job, type JobProgress, lastFailureOf, progressKindOf } from './job-manager.ts'
import { request, requestList, textOf } from './rest.ts'

/** A checkpoint or savepoint that is complete. */
export type Checkpoint = {
  readonly path: string
  readonly bytes: number
  readonly completedMs: number
  readonly durationMs: number
}

const pressures = ['ok', 'low', 'high'] as const
export type Backpressure = (typeof pressures)[number]

/** What a job is doing, as far as Flink's REST API tells: what is `undefined` is not known. Times are milliseconds since the epoch. */
export type JobStatus = {
  readonly state: JobProgress['kind']
  readonly startedMs: number
  /** Where event time is: the least over all tasks. */
  readonly watermarkMs: number | undefined
  /** The greatest over all tasks. */
  readonly backpressure: Backpressure | undefined
  readonly parallelism: number
  readonly checkpoints: { readonly completed: number; readonly failed: number; readonly newest: Checkpoint | undefined }
  /** Since it was submitted. */
  readonly restarts: number | undefined
  readonly lastFailure: { readonly reason: string; readonly atMs: number } | undefined
  /** Where event time is in each partition of its topic, by number. */
  readonly watermarksMs: ReadonlyMap<number, number>
}

/** @throws MillraceError `flink.unavailable`, `flink.refused`. */
export async function statusOf(url: string, { id, startedMs }: Job): Promise<JobStatus> {
  const [detail, checkpoints, lastFailure] = await Promise.all([
    detailOf(url, id),
    checkpointsOf(url, id),
    lastFailureOf(url, id),
  ])
  const state = progressKindOf(detail)
  const ids = detail.tasks.map((task) => task.id)
  const parallelism = Math.max(1, ...detail.tasks.map((task) => task.parallelism))
  const known = { state, startedMs, parallelism, checkpoints, lastFailure }
  const [first] = ids
  const isFresh = state === 'running' && first !== undefined && (await gathered(url, id, first))
  if (!isFresh) {
    return { ...known, watermarkMs: undefined, backpressure: undefined, restarts: undefined, watermarksMs: new Map() }
  }
  const [watermarks, levels, splits, [restarts]] = await Promise.all([
    Promise.all(ids.map((task) => watermarksOf(url, id, task))),
    Promise.all(ids.map(async (task) => levelOf(await backpressureOf(url, id, task)))),
    Promise.all(ids.map((task) => splitWatermarks(url, id, task))),
    metrics(url, `/jobs/${id}/metrics`, ['numRestarts']),
  ])
  return {
    ...known,
    watermarkMs: least(watermarks.flat()),
    backpressure: pressures.findLast((level) => levels.includes(level)),
    restarts: restarts && Number(restarts.value),
    watermarksMs: new Map(splits.flat()),
  }
}

async function checkpointsOf(url: string, id: string): Promise<JobStatus['checkpoints']> {
  const { counts, latest } = await request(new URL(`/jobs/${id}/checkpoints`, url), 'GET')
  const of = (value: unknown): JsonObject => (isJsonObject(value) ? value : {})
  const { completed, failed } = of(counts)
  const newest = of(latest)['completed']
  return {
    completed: Number(completed ?? 0),
    failed: Number(failed ?? 0),
    newest: isJsonObject(newest)
      ? {
          path: (textOf(newest['external_path']) ?? '').replace(/^file:/, ''),
          bytes: Number(newest['state_size']),
          completedMs: Number(newest['latest_ack_timestamp']),
          durationMs: Number(newest['end_to_end_duration']),
        }
      : undefined,
  }
}

const gatherTimeoutMs = 5_000

/**
 * Flink gathers metrics when somebody asks for some, answers with those that it has, be they an hour old, and gathers again no sooner than
 * these have come: so what it has is of now when it has gathered twice.
 * @returns false where it does not come to it in time
 */
async function gathered(url: string, id: string, task: string): Promise<boolean> {
  const times = new Set<number>()
  const twice = poll('to gather metrics', gatherTimeoutMs, async () => {
    const { 'end-timestamp': at } = await backpressureOf(url, id, task)
    if (typeof at === 'number') times.add(at)
    return times.size > 1 ? true : undefined
  })
  return twice.catch(() => false)
}

function backpressureOf(url: string, id: string, task: string): Promise<JsonObject> {
  return request(new URL(`/jobs/${id}/vertices/${task}/backpressure`, url), 'GET')
}

function levelOf({ 'backpressure-level': level }: JsonObject): Backpressure | undefined {
  return pressures.find((known) => known === level)
}

async function watermarksOf(url: string, id: string, task: string): Promise<(number | undefined)[]> {
  const found = await metrics(url, `/jobs/${id}/vertices/${task}/watermarks`)
  return found.map(({ value }) => eventTime(value))
}

const splitWatermark = /\.split\..+-(\d+)\.watermark\.currentWatermark$/
/** What is asked for is in the URL, of which Flink takes 4 KiB. */
const askedMax = 20

/** Of the partitions that a task reads; of most tasks there are none. */
async function splitWatermarks(url: string, id: string, task: string): Promise<[number, number][]> {
  const path = `/jobs/${id}/vertices/${task}/metrics`
  const names = (await metrics(url, path)).map((metric) => metric.id).filter((name) => splitWatermark.test(name))
  const found: Metric[] = []
  for (let at = 0; at < names.length; at += askedMax) {
    found.push(...(await metrics(url, path, names.slice(at, at + askedMax))))
  }
  return found.flatMap(({ id: name, value }): [number, number][] => {
    const [partition, atMs] = [splitWatermark.exec(name)?.[1], eventTime(value)]
    return partition === undefined || atMs === undefined ? [] : [[Number(partition), atMs]]
  })
}

type Metric = { readonly id: string; readonly value: string }

/** Those with these names, or the names of all. */
async function metrics(url: string, path: string, names: readonly string[] = []): Promise<Metric[]> {
  const query = names.length === 0 ? '' : `?get=${names.map(encodeURIComponent).join()}`
  const found = await requestList(new URL(`${path}${query}`, url))
  return found.map((metric) => ({ id: textOf(metric['id']) ?? '', value: textOf(metric['value']) ?? '' }))
}

/** Before the first event it is the least number that there is, and after what has no time the earliest time, less the disorder. */
function eventTime(value: string): number | undefined {
  const ms = Number(value)
  return ms > earliestTimeMs && ms < latestTimeMs ? ms : undefined
}

/** The last that RFC 3339 can write. */
const latestTimeMs = Date.UTC(10_000, 0, 1)

function least(values: readonly (number | undefined)[]): number | undefined {
  const known = values.filter((value) => value !== undefined)
  return known.length < values.length || known.length === 0 ? undefined : Math.min(...known)
}
