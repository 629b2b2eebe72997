/** One transaction after another, each with all that was done since the last began. */
import { setTimeout as sleep } from 'node:timers/promises'
import { MillraceError } from '@millrace/core/errors'
import type { GroupMember } from '@millrace/kafka/group-member'
import type { OutgoingRecord } from '@millrace/kafka/producer'
import type { TransactionalProducer } from '@millrace/kafka/transactional-producer'
import { accountRecords } from './account-records.ts'
import type { AssignedPartition } from './assigned-partition.ts'
import type { DeadLettered, Done, Task } from './attempts.ts'
import type { HandlerMetrics } from './metrics.ts'

/** What became of a record. */
export type Result = {
  readonly partition: AssignedPartition
  readonly task: Task
  readonly kind: Done
  readonly records: readonly OutgoingRecord[]
}

export type CommitOptions = {
  /** As whom it accounts for what is done. */
  readonly reader: string
  readonly group: string
  readonly topic: string
  readonly metrics: HandlerMetrics
  readonly onTrouble: (error: MillraceError) => void
  /** The dead letter of a record whose publications Kafka does not take. */
  readonly giveUp: (task: Task, error: MillraceError) => DeadLettered
  readonly onCommitted: () => void
}

/** What is done while a transaction is under way goes into the next; without much to do, so long is waited for more. */
const gatherMs = 20
const resultsMax = 2_000
const retryMs = 500

export class Commits {
  readonly #producer: TransactionalProducer
  readonly #options: CommitOptions
  readonly #failed = Promise.withResolvers<never>()
  #member: GroupMember | undefined
  #results: Result[] = []
  #underWay: readonly Result[] = []
  #isRunning = false
  #hasFailed = false
  readonly #waiting: (() => void)[] = []

  constructor(producer: TransactionalProducer, options: CommitOptions) {
    this.#producer = producer
    this.#options = options
    this.#failed.promise.catch(() => undefined)
  }

  get failed(): Promise<never> {
    return this.#failed.promise
  }

  begin(member: GroupMember): void {
    this.#member = member
    this.#run()
  }

  add(result: Result): void {
    this.#results.push(result)
    this.#run()
  }

  /** Resolves when nothing of these partitions waits to be committed, or the time is over. */
  async flush(partitions: readonly AssignedPartition[], timeoutMs: number): Promise<void> {
    const endMs = performance.now() + timeoutMs
    const isLeft = () => [...this.#results, ...this.#underWay].some(({ partition }) => partitions.includes(partition))
    while (isLeft() && !this.#hasFailed && performance.now() < endMs) {
      const { promise, resolve } = Promise.withResolvers<undefined>()
      this.#waiting.push(() => resolve(undefined))
      await Promise.race([promise, sleep(endMs - performance.now(), undefined, { ref: false })])
    }
  }

  #run(): void {
    if (this.#isRunning || !this.#member || this.#results.length === 0) return
    this.#isRunning = true
    void this.#commitAll(this.#member).catch((error: unknown) => {
      this.#hasFailed = true
      this.#failed.reject(error)
    })
  }

  async #commitAll(member: GroupMember): Promise<void> {
    while (this.#results.length > 0) {
      if (this.#results.length < resultsMax) await sleep(gatherMs)
      this.#underWay = this.#results.splice(0, resultsMax)
      await this.#settle(this.#underWay, member)
      this.#underWay = []
      for (const resolve of this.#waiting.splice(0)) resolve()
      this.#options.onCommitted()
    }
    this.#isRunning = false
  }

  /**
   * Commits results, whatever it takes: where Kafka does not take what one of them leads to, that one becomes a dead letter.
   * @throws MillraceError when it is not known what is committed
   */
  async #settle(results: readonly Result[], member: GroupMember): Promise<void> {
    for (let left = results; ;) {
      left = left.filter(({ partition }) => !partition.isReleased)
      const [first, ...others] = left
      if (!first) return
      const outcome = await this.#commit(left, member)
      if (outcome === 'committed') return
      // The epoch was another by then, or the member was given up: the next heartbeat tells.
      if (outcome === 'stale') await member.heard()
      else if (outcome === 'unreachable') await sleep(retryMs)
      else if (others.length > 0) {
        for (const result of left) await this.#settle([result], member)
        return
      } else if (first.kind === 'dead-letter') await sleep(retryMs)
      else left = [{ ...first, ...this.#options.giveUp(first.task, outcome) }]
    }
  }

  async #commit(
    results: readonly Result[],
    member: GroupMember,
  ): Promise<'committed' | 'stale' | 'unreachable' | MillraceError> {
    const { reader, group, topic, metrics, onTrouble } = this.#options
    const byPartition = Map.groupBy(results, ({ partition }) => partition)
    const done = [...byPartition].map(([{ partition, progress }, of]) => ({
      partition,
      committed: progress.committable(of.map(({ task }) => task.record.offset)),
      results: of,
    }))
    const offsets = new Map(done.map(({ partition, committed }) => [partition, committed]))
    const startedAtMs = performance.now()
    try {
      const records = [...results.flatMap((result) => result.records), ...accountRecords(reader, topic, done)]
      const outcome = await this.#producer.commit(records, { group, topic, member: member.identity(), offsets })
      if (outcome === 'stale') return outcome
    } catch (error) {
      if (!(error instanceof MillraceError) || unclear.has(error.code)) throw error
      onTrouble(error)
      return ofTheRecords.has(error.code) ? error : 'unreachable'
    }
    metrics.committed(performance.now() - startedAtMs, results)
    for (const [partition, of] of byPartition) partition.committed(of.map(({ task }) => task.record))
    return 'committed'
  }
}

const unclear = new Set<string>(['kafka.fenced', 'kafka.not-confirmed'])
/** Whatever else is wrong may be mended, and says nothing of the events: they wait for it. */
const ofTheRecords = new Set<string>(['kafka.too-large', 'kafka.unfit'])
