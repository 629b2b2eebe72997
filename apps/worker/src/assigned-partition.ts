import { setTimeout as sleep } from 'node:timers/promises'
import type { StoredRecord } from '@millrace/kafka/reader'
import type { Task } from './attempts.ts'
import { type Progress, spreadMax } from './progress.ts'

export type AssignedTask = { readonly partition: AssignedPartition; readonly task: Task }

/** Of one partition, what is read and not yet committed. One more fetch may come on top. */
const recordsMax = 1_000
const bytesMax = 8 * 1_048_576
/** The last fetch of a partition may bring so many places more than are wanted. What is beyond all that waits, see `resumesAt`. */
const spreadRoom = spreadMax / 2

/** A partition that is this worker's, from when it is assigned until it is let go of or lost. */
export class AssignedPartition {
  readonly partition: number
  readonly progress: Progress
  readonly #stop = new AbortController()
  #state: 'open' | 'draining' | 'released' = 'open'
  #waiting = 0
  #bytes = 0
  #running = 0
  #resumesAt: bigint | undefined
  #idle = Promise.withResolvers<undefined>()

  constructor(partition: number, progress: Progress) {
    this.partition = partition
    this.progress = progress
  }

  /** Work may be begun. */
  get isOpen(): boolean {
    return this.#state === 'open'
  }

  /** Nothing that is done counts any more. */
  get isReleased(): boolean {
    return this.#state === 'released'
  }

  get waiting(): number {
    return this.#waiting
  }

  /** Backpressure: what comes in faster than it is committed waits in Kafka. */
  get hasRoom(): boolean {
    const isReached = this.#resumesAt === undefined || this.progress.reaches(this.#resumesAt)
    const isSmall = this.#waiting < recordsMax && this.#bytes < bytesMax && this.progress.spread < spreadRoom
    return this.isOpen && isReached && isSmall
  }

  /**
   * Where reading goes on when there is room again, after a record too far ahead: markers and aborted records of transactions take
   * offsets too, so the next record may be any number of them away.
   */
  get resumesAt(): bigint | undefined {
    return this.#resumesAt
  }

  /**
   * Takes records that were read together, in their order.
   * @returns the tasks of those that are not done already and not too far ahead; these are to be read again from `resumesAt`
   */
  take(records: readonly StoredRecord[]): AssignedTask[] {
    // Whatever reading was to go on with may be gone: they are what comes next.
    this.#resumesAt = undefined
    return records.flatMap((record) => this.#begin(record) ?? [])
  }

  #begin(record: StoredRecord): AssignedTask | undefined {
    if (!this.progress.reaches(record.offset)) this.#resumesAt ??= record.offset
    if (!this.isOpen || this.#resumesAt !== undefined || !this.progress.begin(record.offset)) return undefined
    this.#waiting += 1
    this.#bytes += bytesOf(record)
    const signal = this.#stop.signal
    const task = { record, signal, attempts: 0, firstTriedAtMs: undefined, firstFailedAtMs: undefined }
    return { partition: this, task }
  }

  /** @returns what is to be called when the work ends */
  start(): () => void {
    this.#running += 1
    return () => {
      this.#running -= 1
      if (this.#running === 0) this.#idle.resolve(undefined)
    }
  }

  /** It is committed that these are done. */
  committed(records: readonly StoredRecord[]): void {
    this.#waiting -= records.length
    for (const record of records) {
      this.#bytes -= bytesOf(record)
      this.progress.finish(record.offset)
    }
  }

  /** Begins nothing more, and waits until what is under way ends; what does not end in time counts no more. */
  async drain(timeoutMs: number): Promise<void> {
    if (this.#state !== 'open') return
    this.#state = 'draining'
    this.#idle = Promise.withResolvers()
    if (this.#running > 0) await Promise.race([this.#idle.promise, sleep(timeoutMs, undefined, { ref: false })])
  }

  release(): void {
    this.#state = 'released'
    this.#stop.abort()
  }
}

function bytesOf({ key, value }: StoredRecord): number {
  return 200 + (key?.length ?? 0) + (value?.length ?? 0)
}
