/**
 * A handler on the partitions that its consumer group gives this worker. Records are handled side by side, those of a key in order; what
 * they lead to and how far the partition is are committed together, some tens of transactions a second at most.
 *
 * Whatever becomes unclear (the group has taken the partitions away, a commit has no answer) is dropped and read again from what is
 * committed: that is the truth, and nothing else is.
 */
import { MillraceError } from '@millrace/core/errors'
import { type Handler, handlerGroup, handlerReader } from '@millrace/core/handler'
import type { KafkaConnection } from '@millrace/kafka/connection'
import { type Follower, type Gap, openFollower } from '@millrace/kafka/follower'
import { type Committed, type GroupMember, joinGroup } from '@millrace/kafka/group-member'
import type { StoredRecord } from '@millrace/kafka/reader'
import { openTransactionalProducer } from '@millrace/kafka/transactional-producer'
import { AssignedPartition, type AssignedTask } from './assigned-partition.ts'
import type { Attempts } from './attempts.ts'
import { Commits } from './commits.ts'
import { Lanes } from './lanes.ts'
import type { HandlerMetrics } from './metrics.ts'
import { Progress } from './progress.ts'

export type HandlerRunOptions = {
  readonly handler: Handler
  readonly connection: KafkaConnection
  /** Unlike that of any other worker that runs, the same when this one is started again: then it ends at once what it left open. */
  readonly instance: string
  readonly attempts: Attempts
  readonly metrics: HandlerMetrics
  /** Kafka cannot be reached, or does not let it, at the moment; it goes on trying. */
  readonly onTrouble: (error: MillraceError) => void
  /** The group has taken this worker for dead: what it had under way counts no more. It joins again by itself. */
  readonly onLost: () => void
  /** Retention took records before they were handled. */
  readonly onGap: (gap: Gap) => void
}

export type HandlerRun = {
  /** Rejects when it cannot go on and is to be closed and begun again, or, with 'kafka.fenced', not to be. */
  readonly failed: Promise<never>
  /** Finishes what is under way, gives the partitions back and leaves the group. */
  readonly close: () => Promise<void>
}

const rebalanceTimeoutMs = 20_000
/** What is under way when a partition is taken away may still take so long, and so long to be committed: shorter than the group waits for it. */
const drainMs = 8_000
const flushMs = 4_000

/** @throws MillraceError when Kafka cannot be reached, or does not let it */
export async function openHandlerRun(options: HandlerRunOptions): Promise<HandlerRun> {
  const { handler, connection, instance, onTrouble } = options
  const producer = await openTransactionalProducer(connection, `${handlerGroup(handler.name)}-${instance}`)
  const run = new Run(options)
  const { onRecords, onReset, wants } = run
  const onGap = (_topic: string, gap: Gap) => options.onGap(gap)
  const follower = openFollower(connection, { onRecords, onReset, wants, onGap, onTrouble })
  try {
    const topic = handler.from.topic
    await follower.follow(topic, new Map())
    const group = { group: handlerGroup(handler.name), topic, rebalanceTimeoutMs }
    const listener = { onAssigned: run.onAssigned, onRevoked: run.onRevoked, onLost: run.onLost, onTrouble }
    const commits = new Commits(producer, {
      ...group,
      reader: handlerReader(handler.name),
      metrics: options.metrics,
      giveUp: options.attempts.giveUp,
      onTrouble,
      onCommitted: run.onCommitted,
    })
    const member = joinGroup(connection, group, listener)
    run.begin(follower, commits, member)
    return {
      failed: Promise.race([commits.failed, run.failed]),
      close: async () => {
        await member.leave().finally(() => Promise.allSettled([follower.close(), producer.close()]))
      },
    }
  } catch (error) {
    await Promise.allSettled([follower.close(), producer.close()])
    throw error
  }
}

class Run {
  readonly #options: HandlerRunOptions
  readonly #lanes: Lanes<AssignedTask>
  readonly #partitions = new Map<number, AssignedPartition>()
  readonly #failed = Promise.withResolvers<never>()
  #follower: Follower | undefined
  #commits: Commits | undefined

  constructor(options: HandlerRunOptions) {
    this.#options = options
    this.#lanes = new Lanes(options.handler.concurrency, this.#work, this.#failed.reject)
    this.#failed.promise.catch(() => undefined)
  }

  get failed(): Promise<never> {
    return this.#failed.promise
  }

  begin(follower: Follower, commits: Commits, member: GroupMember): void {
    this.#follower = follower
    this.#commits = commits
    commits.begin(member)
  }

  readonly wants = (_topic: string, partition: number): boolean => this.#partitions.get(partition)?.hasRoom ?? false

  readonly onAssigned = (assigned: ReadonlyMap<number, Committed | undefined>, topicId: string): void => {
    for (const [number, committed = fromTheBeginning] of assigned) {
      const partition = new AssignedPartition(number, new Progress(committed, topicId))
      this.#partitions.set(number, partition)
      this.#follower?.seek(this.#options.handler.from.topic, number, partition.progress.next)
    }
    // Some may be newer than what is known of the topic.
    this.#follower?.refresh()
    this.#follower?.wake()
  }

  readonly onRevoked = async (revoked: readonly number[]): Promise<void> => {
    const partitions = revoked.flatMap((partition) => this.#partitions.get(partition) ?? [])
    await Promise.all(partitions.map((partition) => partition.drain(drainMs)))
    await this.#commits?.flush(partitions, flushMs)
    for (const partition of partitions) this.#release(partition)
  }

  readonly onLost = (): void => {
    this.#releaseAll()
    this.#options.onLost()
  }

  /** Offsets mean something else now: those of the new topic are not to be taken for the old ones'. */
  readonly onReset = (topic: string): void => {
    this.#releaseAll()
    this.#failed.reject(new MillraceError('kafka.unavailable', `${topic} was deleted, and one of its name was made`))
  }

  readonly onRecords = (topic: string, records: readonly StoredRecord[]): void => {
    for (const [number, ofPartition] of Map.groupBy(records, ({ partition }) => partition)) {
      const partition = this.#partitions.get(number)
      if (!partition) continue
      for (const task of partition.take(ofPartition)) this.#lanes.push(laneOf(task.task.record), task)
      if (partition.resumesAt !== undefined) this.#follower?.seek(topic, number, partition.resumesAt)
    }
    this.#options.metrics.waiting(this.#waiting())
  }

  /** There is room for more. */
  readonly onCommitted = (): void => {
    this.#options.metrics.waiting(this.#waiting())
    this.#follower?.wake()
  }

  #releaseAll(): void {
    for (const partition of this.#partitions.values()) this.#release(partition)
    this.#options.metrics.lost()
    this.#options.metrics.waiting(0)
  }

  #release(partition: AssignedPartition): void {
    partition.release()
    this.#partitions.delete(partition.partition)
  }

  readonly #work = async (assigned: AssignedTask): Promise<number | undefined> => {
    const { partition, task } = assigned
    if (!partition.isOpen) return undefined
    const { metrics, attempts } = this.#options
    const ended = partition.start()
    try {
      const startedAtMs = performance.now()
      const attempted = await attempts.attempt(task)
      metrics.attempted(performance.now() - startedAtMs, attempted.kind)
      if (partition.isReleased) return undefined
      if (attempted.kind === 'again') return attempted.delayMs
      this.#commits?.add({ partition, task, kind: attempted.kind, records: attempted.records })
      return undefined
    } finally {
      ended() // not before: who waits for the end of the work commits then what it came to
    }
  }

  #waiting(): number {
    return [...this.#partitions.values()].reduce((sum, { waiting }) => sum + waiting, 0)
  }
}

const fromTheBeginning: Committed = { offset: 0n, metadata: '' }

/** Records of one key take turns; those without one wait for nobody. */
function laneOf({ partition, offset, key }: StoredRecord): string {
  return key === null ? `${partition} ${offset}` : `${partition}/${key.toString('latin1')}`
}
