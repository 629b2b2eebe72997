/** The accounting as a whole: of each topic and each minute what is stored and what became of it, taken up from what was written of it. */
import { type Account, minuteOf } from '@millrace/core/account'
import type { JsonObject, JsonValue } from '@millrace/core/json'
import { ledgerKeys, type LedgerReader, type LedgerTopic, parseLedgerMinute } from '@millrace/core/ledger'
import { readDeadLetter } from '@millrace/core/read-dead-letter'
import type { StoredRecord } from '@millrace/kafka/reader'
import * as z from 'zod'
import { LedgerMinutes } from './ledger-minutes.ts'
import { Settled } from './settled.ts'
import { gatewayReader, sinkPrefix, TopicLedger, type TopicState, topicState } from './topic-ledger.ts'

type Positions = Map<number, bigint>

type Kept = {
  readonly type: string
  /** Kafka's id of the topic that is counted. */
  id: string
  ledger: TopicLedger
  /** How far its dead letters are read. */
  readonly letters: Positions
  readonly settled: Map<string, Settled>
  /** Since when a reader has not accounted for something. */
  readonly sinceMs: Map<string, number>
  /** What was last written of it. */
  written: string
}

const positions = z.record(z.string(), z.int())
const writtenTopic = z.object({
  ...{ topic: z.string(), type: z.string(), id: z.string() },
  ...{ state: topicState, letters: positions },
})
/** What is unaccounted for so long has been told to whoever is on call, and is not waited for any more. */
const writeOffMs = 3_600_000

/** Told of what somebody should look into. */
export type OnOddity = (what: string, details: object) => void

export class Accounts {
  readonly #minutes = new LedgerMinutes()
  readonly #topics = new Map<string, Kept>()
  readonly #former = new Map<string, z.output<typeof writtenTopic>>()
  readonly #changed = new Map<string, JsonValue | undefined>()
  /** How far the readers' accounts are read. */
  readonly accountPositions: Positions

  readonly #onOddity: OnOddity

  /** @param read what was written, by key, in the order in which it was */
  constructor(read: ReadonlyMap<string, JsonObject>, onOddity: OnOddity) {
    this.#onOddity = onOddity
    const unreadable = new Set<string>()
    for (const [key, value] of read) {
      const minute = parseLedgerMinute(value)
      if (minute) this.#minutes.restore(key, minute)
      const { data: written } = writtenTopic.safeParse(value)
      if (written) this.#former.set(written.topic, written)
      else if (!minute && typeof value['topic'] === 'string') unreadable.add(value['topic'])
    }
    for (const topic of unreadable) {
      onOddity('what is written of a topic is not understood: it is counted from its beginning', { topic })
      this.#minutes.forget(topic)
    }
    this.accountPositions = positionsIn(positions.safeParse(read.get(ledgerKeys.accounts)?.['positions']).data)
  }

  get topics(): readonly string[] {
    return [...this.#topics.keys()]
  }

  /** Keeps a topic from now on, from where its accounting was. */
  add(topic: string, type: string): void {
    const former = this.#former.get(topic)
    const known = former?.type === type ? former : undefined
    if (former && !known) this.#minutes.forget(topic)
    this.#topics.set(topic, {
      ...{ type, id: known?.id ?? '', ledger: this.#ledgerOf(topic, type, known?.state) },
      letters: positionsIn(known?.letters),
      ...{ settled: new Map(), sinceMs: new Map(), written: '' },
    })
  }

  /**
   * Says which topic has the name.
   * @returns whether it is the one that is counted, or the first; else its accounting begins anew
   */
  identify(topic: string, id: string): boolean {
    const kept = this.#topics.get(topic)
    if (!kept || kept.id === id) return true
    const isFirst = kept.id === ''
    kept.id = id
    if (!isFirst) this.#reset(topic, kept)
    return isFirst
  }

  /** A topic is gone, and what was known of it. */
  remove(topic: string): void {
    this.#topics.delete(topic)
    this.#former.delete(topic)
    this.#minutes.forget(topic)
    this.#changed.set(ledgerKeys.topic(topic), undefined)
  }

  typeOf(topic: string): string | undefined {
    return this.#topics.get(topic)?.type
  }

  /** Topics of former times that nobody declares any more. */
  get forgotten(): readonly string[] {
    return [...this.#former.keys()].filter((topic) => !this.#topics.has(topic))
  }

  ledgerOf(topic: string): TopicLedger | undefined {
    return this.#topics.get(topic)?.ledger
  }

  lettersRead(topic: string): ReadonlyMap<number, bigint> {
    return this.#topics.get(topic)?.letters ?? new Map()
  }

  stored(topic: string, records: readonly StoredRecord[]): void {
    const ledger = this.ledgerOf(topic)
    for (const { partition, offset, headers, timestampMs } of records) {
      ledger?.stored(partition, Number(offset), minuteOf(headers, timestampMs))
    }
  }

  account(account: Account): void {
    if (account.anew) this.#minutes.forgetReader(account.topic, account.reader)
    this.ledgerOf(account.topic)?.account(account)
  }

  /** Dead letters of a topic. Readers that account for themselves have told of theirs. */
  letters(topic: string, records: readonly StoredRecord[]): void {
    const kept = this.#topics.get(topic)
    for (const record of records) {
      kept?.letters.set(record.partition, record.offset + 1n)
      const { by } = readDeadLetter(topic, record)
      if (tellsNothing(by)) kept?.ledger.deadLettered(by, minuteOf(record.headers, record.timestampMs))
    }
  }

  /** What is known of a topic now. */
  look(topic: string): LedgerTopic | undefined {
    const kept = this.#topics.get(topic)
    if (!kept) return undefined
    const readers = [...kept.ledger.readers()].map(([name, reader]): [string, LedgerReader] => {
      const unaccounted = kept.settled.getOrInsertComputed(name, () => new Settled()).look(reader.unaccounted)
      this.#writeOff(kept, name, unaccounted)
      return [name, { ...reader, unaccounted }]
    })
    const { type, ledger } = kept
    return { type, topic, atMs: Date.now(), accepted: ledger.accepted, readers: Object.fromEntries(readers) }
  }

  #writeOff({ type, ledger, sinceMs }: Kept, reader: string, unaccounted: number | null): void {
    if (!unaccounted) sinceMs.delete(reader)
    else if (performance.now() - sinceMs.getOrInsert(reader, performance.now()) > writeOffMs) {
      this.#onOddity('events that a reader did not account for are written off', { type, reader, events: unaccounted })
      ledger.writeOff(reader)
      sinceMs.delete(reader)
    }
  }

  #reset(topic: string, kept: Kept): void {
    this.#onOddity('a topic was made anew: it is counted from its beginning', { topic })
    kept.ledger = this.#ledgerOf(topic, kept.type)
    kept.settled.clear()
    kept.sinceMs.clear()
    this.#minutes.forget(topic)
  }

  /** What is to be written now, by key, what was looked at among it. */
  takeChanges(looks: readonly LedgerTopic[]): Map<string, JsonValue | undefined> {
    const changes = new Map<string, JsonValue | undefined>([...this.#changed, ...this.#minutes.takeChanged()])
    this.#changed.clear()
    for (const look of looks) {
      const kept = this.#topics.get(look.topic)
      if (!kept) continue
      const { atMs, ...rest } = look
      const state = { ...rest, id: kept.id, state: kept.ledger.state, letters: jsonOf(kept.letters) }
      const text = JSON.stringify(state)
      if (text !== kept.written) changes.set(ledgerKeys.topic(look.topic), { ...state, atMs })
      kept.written = text
    }
    changes.set(ledgerKeys.accounts, { positions: jsonOf(this.accountPositions), atMs: Date.now() })
    return changes
  }

  #ledgerOf(topic: string, type: string, state?: TopicState): TopicLedger {
    return new TopicLedger((minute, events, by) => this.#minutes.count({ type, topic, minute }, events, by), state)
  }
}

/** Whose dead letters are known from these alone. */
function tellsNothing(by: string): boolean {
  return by === gatewayReader || by.startsWith(sinkPrefix)
}

function positionsIn(value: z.output<typeof positions> = {}): Positions {
  return new Map(Object.entries(value).map(([partition, position]) => [Number(partition), BigInt(position)]))
}

function jsonOf(of: Positions): Record<string, number> {
  return Object.fromEntries([...of].map(([partition, position]) => [partition, Number(position)]))
}
