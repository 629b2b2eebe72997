/**
 * Puts dead letters back into the topics that they came from, once each. It works through a dead letter topic from a place on, up to what
 * was there when the request came: what fails again meanwhile is for another request.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { type DeadLetter, readDeadLetter } from '@millrace/core/read-dead-letter'
import { deadLetterTopic } from '@millrace/core/topic-name'
import type { Offsets } from '@millrace/kafka/admin'
import type { Reader, StoredRecord } from '@millrace/kafka/reader'
import type { ReplayLog } from '@millrace/kafka/replay-log'
import { encodeCursor } from './cursor.ts'
import { scan } from './dead-letter-scan.ts'
import type { From } from './read-position.ts'
import type { ReplayBody } from './replay-body.ts'
import { judge, type JudgeParts, type Judged, letterKey, type Ready } from './replay-judge.ts'
import { type ReplayStore, storeReplays } from './replay-store.ts'

export type ReplayOutcome =
  'replayed' | 'wouldReplay' | 'invalid' | 'looped' | 'already' | 'unopened' | 'failed' | 'unconfirmed' | 'failedAgain'

export type ReplayAnswer = Record<ReplayOutcome, number> & {
  readonly topic: string
  readonly dryRun: boolean
  /** Of the ids that were asked for, those that no letter had up to where this went. */
  readonly notFound: number
  /** Where the next request goes on; absent when all was seen. */
  readonly next?: string
  /** What stopped it: one of the canaries. */
  readonly stopped?: 'canary'
  /** Why, of the first of those that were not replayed. */
  readonly failures: readonly Refused[]
}

type Refused = {
  readonly partition: number
  readonly offset: number
  readonly id: string | null
  readonly outcome: ReplayOutcome
  readonly detail: string
}

export type ReplayParts = JudgeParts &
  ReplayStore & {
    readonly reader: Reader
    readonly log: () => Promise<ReplayLog>
    readonly count: (topic: string, outcome: ReplayOutcome, count: number) => void
  }

const bounds = { recordsMax: 50_000, timeMsMax: 10_000 } as const
const batchMax = { letters: 100, bytes: 8 * 1_048_576 } as const
const failuresMax = 20
/** How long a canary has to fail again. */
const canaryWaitMs = 5_000
const canaryPollMs = 250

type Letters = Omit<ReplayBody, 'from' | 'topic'>

/**
 * @param topic of the events, not of the dead letters
 * @throws ProblemError 410 | 400, MillraceError when Kafka cannot be read
 */
export async function replay(
  topic: string,
  from: Exclude<From, 'latest'>,
  wanted: Letters,
  parts: ReplayParts,
): Promise<ReplayAnswer> {
  const letters = deadLetterTopic(topic)
  const upTo = await parts.reader.offsetsAt(letters, 'latest')
  const run = new Run(topic, wanted, parts, await parts.log(), upTo)
  const { next, atEnd } = await scan(parts.reader, letters, from, run.visit, { ...bounds, upTo })
  await run.flush()
  return run.answer(atEnd ? undefined : encodeCursor(letters, next))
}

class Run {
  readonly #topic: string
  readonly #wanted: Letters
  readonly #parts: ReplayParts
  readonly #log: ReplayLog
  readonly #end: Offsets
  readonly #counts = new Map<ReplayOutcome, number>()
  readonly #failures: Refused[] = []
  readonly #missing: Set<string>
  /** The letters that this request has replayed, or is about to. */
  readonly #taken = new Set<string>()
  readonly #canaries: Ready[] = []
  #batch: (readonly [StoredRecord, Ready])[] = []
  #batchBytes = 0
  #refused = 0
  #isStopped = false

  constructor(topic: string, wanted: Letters, parts: ReplayParts, log: ReplayLog, end: Offsets) {
    this.#topic = topic
    this.#wanted = wanted
    this.#parts = parts
    this.#log = log
    this.#end = end
    this.#missing = new Set(wanted.ids)
  }

  readonly visit = async (record: StoredRecord): Promise<'more' | 'enough'> => {
    const letter = readDeadLetter(this.#topic, record)
    if (!this.#isWanted(letter, record)) return 'more'
    const judged = await this.#judge(record, letter)
    if (judged.outcome === 'ready') await this.#take(record, judged)
    else if (judged.outcome === 'already') this.#count('already')
    else {
      this.#refuse(record, judged.outcome, judged.detail)
      this.#isStopped ||= this.#isCanary
    }
    return this.#isStopped || this.#takenCount >= this.#wanted.cap ? 'enough' : 'more'
  }

  readonly flush = async (): Promise<void> => {
    const batch = this.#batch
    if (batch.length === 0) return
    this.#batch = []
    this.#batchBytes = 0
    const results = await storeReplays(
      batch.map(([, ready]) => ready),
      this.#log,
      this.#parts,
    )
    for (const [index, [record]] of batch.entries()) {
      const { outcome, detail } = results[index] ?? { outcome: 'unconfirmed', detail: '' }
      if (outcome === 'replayed' || outcome === 'already') this.#count(outcome)
      else this.#refuse(record, outcome, detail)
    }
  }

  answer(next: string | undefined): ReplayAnswer {
    if (!this.#wanted.dryRun)
      for (const [outcome, count] of this.#counts) this.#parts.count(this.#topic, outcome, count)
    const of = (outcome: ReplayOutcome) => this.#counts.get(outcome) ?? 0
    return {
      topic: this.#topic,
      dryRun: this.#wanted.dryRun,
      ...{ replayed: of('replayed'), wouldReplay: of('wouldReplay'), invalid: of('invalid'), looped: of('looped') },
      ...{ already: of('already'), unopened: of('unopened'), failed: of('failed'), unconfirmed: of('unconfirmed') },
      failedAgain: of('failedAgain'),
      notFound: this.#missing.size,
      ...(next !== undefined && { next }),
      ...(this.#isStopped && { stopped: 'canary' }),
      failures: this.#failures,
    }
  }

  #isWanted(letter: DeadLetter, { headers }: StoredRecord): boolean {
    const { ids, filter = {} } = this.#wanted
    const id = headers.get('ce_id')
    if (ids && (id === undefined || !ids.includes(id))) return false
    if (filter.reason !== undefined && letter.reason !== filter.reason) return false
    if (filter.by !== undefined && letter.by !== filter.by) return false
    if (filter.source !== undefined && headers.get('ce_source') !== filter.source) return false
    if (filter.from !== undefined && letter.failedAtMs < filter.from) return false
    if (filter.to !== undefined && letter.failedAtMs > filter.to) return false
    if (id !== undefined) this.#missing.delete(id)
    return true
  }

  async #judge(record: StoredRecord, letter: DeadLetter): Promise<Judged | { readonly outcome: 'already' }> {
    const key = letterKey(letter, record)
    if (this.#taken.has(key) || this.#log.stateOf(key) !== 'free') return { outcome: 'already' }
    return judge(record, letter, this.#parts)
  }

  async #take(record: StoredRecord, ready: Ready): Promise<void> {
    const isCanary = this.#isCanary
    this.#taken.add(ready.key)
    if (this.#wanted.dryRun) {
      this.#count('wouldReplay')
      return
    }
    this.#batch.push([record, ready])
    this.#batchBytes += ready.record.value?.length ?? 0
    if (isCanary) await this.#sendCanary(ready)
    else if (this.#batch.length >= batchMax.letters || this.#batchBytes >= batchMax.bytes) await this.flush()
  }

  /** One at a time, so that nothing waits behind one that stops all. After the last of them it waits whether they fail again. */
  async #sendCanary(ready: Ready): Promise<void> {
    const before = this.#refused
    await this.flush()
    this.#canaries.push(ready)
    this.#isStopped = this.#refused > before
    if (this.#isStopped || this.#canaries.length < this.#wanted.canary) return
    const failedAgain = await this.#canariesFailedAgain()
    if (failedAgain === 0) return
    this.#count('failedAgain', failedAgain)
    this.#isStopped = true
  }

  async #canariesFailedAgain(): Promise<number> {
    const deadline = performance.now() + canaryWaitMs
    const identities = new Set(this.#canaries.map(({ record }) => identityOf(record)))
    const found = new Set<string>()
    let from: Exclude<From, 'latest'> = { cursor: this.#end }
    while (found.size === 0 && performance.now() < deadline) {
      await sleep(canaryPollMs)
      const { next } = await scan(
        this.#parts.reader,
        deadLetterTopic(this.#topic),
        from,
        (record) => {
          const identity = identityOf(record)
          if (identities.has(identity) && readDeadLetter(this.#topic, record).replays > 0) found.add(identity)
          return 'more'
        },
        bounds,
      )
      from = { cursor: next }
    }
    return found.size
  }

  get #isCanary(): boolean {
    return !this.#wanted.dryRun && this.#canaries.length < this.#wanted.canary
  }

  get #takenCount(): number {
    return this.#taken.size
  }

  #count(outcome: ReplayOutcome, count = 1): void {
    this.#counts.set(outcome, (this.#counts.get(outcome) ?? 0) + count)
  }

  #refuse({ partition, offset, headers }: StoredRecord, outcome: ReplayOutcome, detail: string): void {
    this.#count(outcome)
    this.#refused += 1
    if (this.#failures.length >= failuresMax) return
    const id = headers.get('ce_id') ?? null
    this.#failures.push({ partition, offset: Number(offset), id, outcome, detail })
  }
}

function identityOf({ headers }: Pick<StoredRecord, 'headers'>): string {
  return JSON.stringify([headers.get('ce_source'), headers.get('ce_id')])
}
