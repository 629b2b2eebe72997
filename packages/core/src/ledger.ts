/**
 * The accounting of the platform: what is stored in each topic, and what became of it at each of its readers, in total and by the minute of
 * event time. It is written by one process to a compacted topic, from which that process goes on when it starts again, and which every API
 * instance can read.
 */
import { accountOutcomes } from './account.ts'
import { isJsonObject, type JsonObject, type JsonValue } from './json.ts'

/** Compacted, of one partition. The keys of its records are those of `ledgerKeys`. */
export const ledgerTopic = 'millrace-ledger'

/** Whoever writes under this id has taken the ledger over from whoever did before. */
export const ledgerTransactionalId = 'millrace-ledger'

export const ledgerKeys = {
  topic: (topic: string): string => `topic ${topic}`,
  minute: (topic: string, minute: string): string => `minute ${topic} ${minute}`,
  /** How far the readers' accounts are read. */
  accounts: 'accounts',
} as const

/** What became of an event at a reader; a sink says of what it has brought into the warehouse that it is `loaded`. */
export const ledgerOutcomes = [...accountOutcomes, 'loaded'] as const
export type LedgerOutcome = (typeof ledgerOutcomes)[number]

/** Events by what became of them; what is not there is 0. */
export type LedgerCounts = Partial<Record<LedgerOutcome, number>>

/** Of one topic, the events of one minute. */
export type LedgerMinute = {
  readonly type: string
  readonly topic: string
  /** As `minuteOf` gives it. */
  readonly minute: string
  /** Events stored. */
  readonly accepted: number
  readonly readers: Readonly<Record<string, LedgerCounts>>
}

/** Of one reader, all that it had of a topic. */
export type LedgerReader = {
  readonly counts: LedgerCounts
  /** Events stored that it is not done with; null while it is too far behind for it to be known. */
  readonly inFlight: number | null
  /**
   * Events that it has passed and not accounted for: 0, or something is wrong; less than 0 when it has accounted for more than there was.
   * Null for a reader that says nothing of what it does with each event, and while it is too far behind for it to be known.
   */
  readonly unaccounted: number | null
  /** Events that were unaccounted for so long that they are not waited for any more, since the accounting began. */
  readonly writtenOff: number
}

export type LedgerTopic = {
  readonly type: string
  readonly topic: string
  /** When this was found, in ms since 1970. */
  readonly atMs: number
  readonly accepted: number
  readonly readers: Readonly<Record<string, LedgerReader>>
}

/** @returns `undefined` for what this version does not understand */
export function parseLedgerMinute(value: unknown): LedgerMinute | undefined {
  if (!isJsonObject(value)) return undefined
  const { type, topic, minute, accepted, readers } = value
  if (typeof type !== 'string' || typeof topic !== 'string' || typeof minute !== 'string') return undefined
  if (typeof accepted !== 'number' || !isJsonObject(readers)) return undefined
  const counted = Object.entries(readers).map(([reader, counts]): [string, LedgerCounts] => [reader, countsIn(counts)])
  return { type, topic, minute, accepted, readers: Object.fromEntries(counted) }
}

/** @returns `undefined` for what this version does not understand */
export function parseLedgerTopic(value: unknown): LedgerTopic | undefined {
  if (!isJsonObject(value)) return undefined
  const { type, topic, atMs, accepted, readers } = value
  if (typeof type !== 'string' || typeof topic !== 'string' || typeof atMs !== 'number') return undefined
  if (typeof accepted !== 'number' || !isJsonObject(readers)) return undefined
  const known = Object.entries(readers).map(([reader, told]): [string, LedgerReader] => [reader, readerIn(told)])
  return { type, topic, atMs, accepted, readers: Object.fromEntries(known) }
}

function readerIn(value: JsonValue): LedgerReader {
  const {
    counts = null,
    inFlight = null,
    unaccounted = null,
    writtenOff = null,
  }: JsonObject = isJsonObject(value) ? value : {}
  return {
    counts: countsIn(counts),
    inFlight: typeof inFlight === 'number' ? inFlight : null,
    unaccounted: typeof unaccounted === 'number' ? unaccounted : null,
    writtenOff: typeof writtenOff === 'number' ? writtenOff : 0,
  }
}

function countsIn(value: JsonValue): LedgerCounts {
  const counts: LedgerCounts = {}
  if (!isJsonObject(value)) return counts
  for (const outcome of ledgerOutcomes) {
    const count = value[outcome]
    if (typeof count === 'number') counts[outcome] = count
  }
  return counts
}

/** Adds to counts, in place. */
export function addTo(counts: LedgerCounts, outcome: LedgerOutcome, events: number): void {
  counts[outcome] = (counts[outcome] ?? 0) + events
}
