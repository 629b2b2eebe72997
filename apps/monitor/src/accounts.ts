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
  ledger: TopicLedger
  /** How far its dead letters are read. */
  readonly letters: Positions
  readonly settled: Map<string, Settled>
  /** What was last written of it. */
  written: string
}

const positions = z.record(z.string(), z.int())
const writtenTopic = z.object({ topic: z.string(), state: topicState, letters: positions })

export class Accounts {
  readonly #minutes = new LedgerMinutes()
  readonly #topics = new Map<string, Kept>()
  readonly #former = new Map<string, z.output<typeof writtenTopic>>()
  readonly #changed = new Map<string, JsonValue | undefined>()
  /** How far the readers' accounts are read. */
  readonly accountPositions: Positions

  /** @param read what was written, by key */
  constructor(read: ReadonlyMap<string, JsonObject>) {
    for (const [key, value] of read) {
      const minute = parseLedgerMinute(value)
      if (minute) this.#minutes.restore(key, minute)
      const { data: written } = writtenTopic.safeParse(value)
      if (written) this.#former.set(written.topic, written)
    }
    this.accountPositions = positionsIn(positions.safeParse(read.get(ledgerKeys.accounts)?.['positions']).data)
  }

  get topics(): readonly string[] {
    return [...this.#topics.keys()]
  }

  /** Keeps a topic from now on, from where its accounting was. */
  add(topic: string, type: string): void {
    const former = this.#former.get(topic)
    const ledger = this.#ledgerOf(topic, type, former?.state)
    this.#topics.set(topic, { type, ledger, letters: positionsIn(former?.letters), settled: new Map(), written: '' })
  }

  /** A topic is gone, and what was known of it. */
  remove(topic: string): void {
    this.#topics.delete(topic)
    this.#former.delete(topic)
    this.#minutes.forget(topic)
    this.#changed.set(ledgerKeys.topic(topic), undefined)
  }

  /** A topic was made anew under its name. */
  reset(topic: string): void {
    const kept = this.#topics.get(topic)
    if (kept) kept.ledger = this.#ledgerOf(topic, kept.type)
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
      const settled = kept.settled.getOrInsertComputed(name, () => new Settled())
      return [name, { ...reader, unaccounted: settled.look(reader.unaccounted) }]
    })
    const { type, ledger } = kept
    return { type, topic, atMs: Date.now(), accepted: ledger.accepted, readers: Object.fromEntries(readers) }
  }

  /** What is to be written now, by key, what was looked at among it. */
  takeChanges(looks: readonly LedgerTopic[]): Map<string, JsonValue | undefined> {
    const changes = new Map<string, JsonValue | undefined>([...this.#changed, ...this.#minutes.takeChanged()])
    this.#changed.clear()
    for (const look of looks) {
      const kept = this.#topics.get(look.topic)
      if (!kept) continue
      const { atMs, ...rest } = look
      const state = { ...rest, state: kept.ledger.state, letters: jsonOf(kept.letters) }
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
