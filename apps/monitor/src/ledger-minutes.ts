/** The minutes of all topics, as many as there is room for: those that changed last. */
import { addTo, type LedgerCounts, ledgerKeys, type LedgerMinute, type LedgerOutcome } from '@millrace/core/ledger'

/** Above it the minutes that have not changed for longest go. In the totals of their topics they stay. */
export const minutesMax = 20_000
const minutesLeft = 18_000

type Counted = Pick<LedgerMinute, 'type' | 'topic' | 'minute'>
type Row = Counted & { accepted: number; readonly readers: Record<string, LedgerCounts> }

export class LedgerMinutes {
  /** By the keys of their records, those that changed last at the end. */
  readonly #minutes = new Map<string, Row>()
  #changed = new Set<string>()
  readonly #written = new Set<string>()

  /** Takes up what was written of a minute. */
  restore(key: string, minute: LedgerMinute): void {
    this.#minutes.set(key, { ...minute, readers: { ...minute.readers } })
    this.#written.add(key)
  }

  count(of: Counted, events: number, by?: { readonly reader: string; readonly outcome: LedgerOutcome }): void {
    const key = ledgerKeys.minute(of.topic, of.minute)
    const row = this.#minutes.get(key) ?? { ...of, accepted: 0, readers: {} }
    this.#minutes.delete(key)
    this.#minutes.set(key, row)
    if (!by) row.accepted += events
    else addTo((row.readers[by.reader] ??= {}), by.outcome, events)
    this.#changed.add(key)
    if (this.#minutes.size > minutesMax) this.#makeRoom()
  }

  /** Many at a time: looking for the oldest is what costs. */
  #makeRoom(): void {
    for (const oldest of this.#minutes.keys()) {
      if (this.#minutes.size <= minutesLeft) return
      this.#minutes.delete(oldest)
      this.#goes(oldest)
    }
  }

  /** What was never written need not be taken away. */
  #goes(key: string): void {
    if (this.#written.delete(key)) this.#changed.add(key)
    else this.#changed.delete(key)
  }

  /** A topic is gone. */
  forget(topic: string): void {
    for (const [key, minute] of this.#minutes) {
      if (minute.topic !== topic) continue
      this.#minutes.delete(key)
      this.#goes(key)
    }
  }

  /** A reader begins anew with a topic. */
  forgetReader(topic: string, reader: string): void {
    for (const [key, minute] of this.#minutes) {
      if (minute.topic !== topic || minute.readers[reader] === undefined) continue
      Reflect.deleteProperty(minute.readers, reader)
      this.#changed.add(key)
    }
  }

  /** The minutes that changed since this was last asked, by key; `undefined` for one that is gone. */
  takeChanged(): Map<string, LedgerMinute | undefined> {
    const changed = new Map([...this.#changed].map((key) => [key, this.#minutes.get(key)]))
    for (const [key, minute] of changed) if (minute) this.#written.add(key)
    this.#changed = new Set()
    return changed
  }
}
