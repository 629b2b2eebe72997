/** What is known of pipelines and their jobs: from Flink, from Kafka, and from the accounting. */
import { MillraceError } from '@millrace/core/errors'
import { type Pipeline, pipelineReader } from '@millrace/core/pipeline'
import { pipelineCheckpoints } from '@millrace/flink/checkpoints'
import { readIntent } from '@millrace/flink/intent'
import type { Job } from '@millrace/flink/job-manager'
import { type Checkpoint, type JobStatus, statusOf } from '@millrace/flink/job-status'
import { consumerGroup } from '@millrace/flink/kafka-names'
import type { Admin } from '@millrace/kafka/admin'
import type { Jobs } from '@millrace/reconcile/plan-jobs'
import type { Installation } from '@millrace/stack/installation'
import * as z from 'zod'
import { askGateway } from './gateway.ts'

const partAccounted = z.object({ topic: z.string(), accepted: z.int() })
const readerCounts = z.object({
  reader: z.string(),
  processed: z.int(),
  filtered: z.int(),
  late: z.int(),
  deadLettered: z.int(),
  notAddressed: z.int(),
})
const ledgerShape = z.object({ types: z.array(partAccounted.extend({ readers: z.array(readerCounts) })) })
export type Ledger = z.infer<typeof ledgerShape>

/** What a pipeline has made of the records of its topic, by the accounting. */
type Records = Omit<z.infer<typeof readerCounts>, 'reader'> & {
  /** All that it is done with: those below together. */
  readonly in: number
  /** Stored in its topic. */
  readonly results: number | undefined
}

/** How far a pipeline is in a partition of its topic. */
type PartitionState = {
  readonly partition: number
  /** Offsets up to the end that are not committed. */
  readonly lag: number
  readonly watermark: string | undefined
}

/** Of one pipeline; what is not there is not known. Times are RFC 3339. */
export type PipelineState = {
  readonly name: string
  readonly state: JobStatus['state'] | 'stopped' | 'missing'
  readonly from: string
  readonly to: string
  readonly since: string | undefined
  readonly watermark: string | undefined
  readonly lag: number | undefined
  readonly records: Records | undefined
  readonly backpressure: JobStatus['backpressure']
  readonly checkpoints:
    { readonly completed: number; readonly failed: number; readonly newest: CheckpointState | undefined } | undefined
  readonly partitions: readonly PartitionState[]
  readonly parallelism: number | undefined
  readonly restarts: number | undefined
  readonly lastFailure: { readonly at: string; readonly reason: string } | undefined
}

type CheckpointState = Omit<Checkpoint, 'completedMs'> & { readonly at: string; readonly ageMs: number }

export type Sources = {
  readonly admin: Admin
  readonly jobs: Jobs
  /** Those that have not ended. */
  readonly running: readonly Job[]
  readonly ledger: Ledger | undefined
}

/** The accounting, or `undefined` where it cannot be had: the rest is worth being told without it. */
export async function readLedger(installation: Installation): Promise<Ledger | undefined> {
  return askGateway(installation, ledgerShape, 'ops:read', '/v1/ledger?limit=1').catch((error: unknown) => {
    if (error instanceof MillraceError) return undefined
    throw error
  })
}

export async function stateOf(pipeline: Pipeline, sources: Sources): Promise<PipelineState> {
  const { name, from, result } = pipeline
  const { cluster, environment } = sources.jobs
  const newest = sources.running.filter((job) => job.name === name).toSorted((a, b) => b.startedMs - a.startedMs)[0]
  const [{ stoppedMs }, status, lags] = await Promise.all([
    readIntent(pipelineCheckpoints(environment.checkpointDirectory, name)),
    newest && statusOf(cluster.url, newest),
    lagsOf(pipeline, sources.admin),
  ])
  return {
    name,
    state: status?.state ?? (stoppedMs === undefined ? 'missing' : 'stopped'),
    from: from.topic,
    to: result.topic,
    since: timeText(status?.startedMs ?? stoppedMs),
    watermark: timeText(status?.watermarkMs),
    lag: lags && [...lags.values()].reduce((sum, lag) => sum + lag, 0),
    records: sources.ledger && recordsOf(pipeline, sources.ledger),
    backpressure: status?.backpressure,
    partitions: [...(lags ?? [])].map(([partition, lag]) => ({
      partition,
      lag,
      watermark: timeText(status?.watermarksMs.get(partition)),
    })),
    parallelism: status?.parallelism,
    checkpoints: status && { ...status.checkpoints, newest: checkpointState(status.checkpoints.newest) },
    restarts: status?.restarts,
    lastFailure: status?.lastFailure && {
      at: new Date(status.lastFailure.atMs).toISOString(),
      reason: status.lastFailure.reason,
    },
  }
}

/** How many offsets its group is behind, by partition; `undefined` where there is no such topic yet. */
async function lagsOf({ name, from }: Pipeline, admin: Admin): Promise<Map<number, number> | undefined> {
  try {
    const [committed, starts, ends] = await Promise.all([
      admin.committedOffsets(consumerGroup(name)),
      admin.startOffsets(from.topic),
      admin.endOffsets(from.topic),
    ])
    return new Map(
      [...ends]
        .toSorted(([a], [b]) => a - b)
        .map(([partition, end]) => {
          const read = committed.get(from.topic)?.get(partition) ?? starts.get(partition) ?? 0n
          return [partition, Math.max(0, Number(end - read))]
        }),
    )
  } catch (error) {
    if (error instanceof MillraceError && error.code === 'kafka.unknown-topic') return undefined
    throw error
  }
}

function recordsOf({ name, from, result }: Pipeline, { types }: Ledger): Records | undefined {
  const told = types
    .find(({ topic }) => topic === from.topic)
    ?.readers.find((one) => one.reader === pipelineReader(name))
  if (!told) return undefined
  const { processed, filtered, late, deadLettered, notAddressed } = told
  return {
    in: processed + filtered + late + deadLettered + notAddressed,
    ...{ processed, filtered, late, deadLettered, notAddressed },
    results: types.find(({ topic }) => topic === result.topic)?.accepted,
  }
}

function checkpointState(newest: Checkpoint | undefined): CheckpointState | undefined {
  if (!newest) return undefined
  const { completedMs, ...rest } = newest
  return { ...rest, at: new Date(completedMs).toISOString(), ageMs: Math.max(0, Date.now() - completedMs) }
}

function timeText(ms: number | undefined): string | undefined {
  return ms === undefined ? undefined : new Date(ms).toISOString()
}
