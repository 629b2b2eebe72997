/**
 * What the readers of topics say of the events that they are done with: how many, by what became of them and by the minute of their time.
 * A reader's account is stored together with its place in the topic, in one transaction or by one checkpoint, so that each event is counted
 * once, whatever dies.
 */
import { timeOf } from './cloud-event.ts'
import { isJsonObject } from './json.ts'
import { eventTimeHeader, type RecordHeaders } from './kafka-binding.ts'

/** Where accounts are written, the key of a record its reader. */
export const accountsTopic = 'millrace-accounts'

/** What became of an event at a reader. `not-addressed` is a replay that was for somebody else. */
export const accountOutcomes = ['processed', 'filtered', 'late', 'dead-lettered', 'not-addressed'] as const
export type AccountOutcome = (typeof accountOutcomes)[number]

export type AccountCount = {
  /** As `minuteOf` gives it. */
  readonly minute: string
  readonly outcome: AccountOutcome
  readonly events: number
}

/** What a reader is done with in a partition since its last account of it. */
export type Account = {
  /** Of what kind it is, and its name: `flink/<pipeline>`, `worker/<handler>`. Dead letters say it in the same way. */
  readonly reader: string
  readonly topic: string
  readonly partition: number
  /** The first offset that is counted here. */
  readonly from: number
  /** Before this offset the reader has counted everything, here or earlier. */
  readonly through: number
  /** How many events it has counted from `through` on. */
  readonly beyond: number
  readonly counts: readonly AccountCount[]
  /** The reader begins anew with the topic: what it told of it before, of any partition, counts no more. */
  readonly anew?: true
}

/** What is stored before a reader begins anew with a topic. */
export function accountAnew(reader: string, topic: string): Account {
  return { reader, topic, partition: 0, from: 0, through: 0, beyond: 0, counts: [], anew: true }
}

/** The account that a record's value holds, or `undefined` when it is none that this version understands. */
export function parseAccount(value: unknown): Account | undefined {
  if (!isJsonObject(value)) return undefined
  const { reader, topic, partition, from, through, beyond, counts, anew } = value
  if (typeof reader !== 'string' || typeof topic !== 'string') return undefined
  if (!isCount(partition) || !isCount(from) || !isCount(through) || !isCount(beyond)) return undefined
  if (!Array.isArray(counts)) return undefined
  const parsed = counts.flatMap((count: unknown) => parseCount(count) ?? [])
  if (parsed.length < counts.length) return undefined
  return { reader, topic, partition, from, through, beyond, counts: parsed, ...(anew === true && { anew }) }
}

function parseCount(value: unknown): AccountCount | undefined {
  if (!isJsonObject(value)) return undefined
  const { minute, outcome, events } = value
  const known = accountOutcomes.find((one) => one === outcome)
  return known !== undefined && typeof minute === 'string' && isCount(events)
    ? { minute, outcome: known, events }
    : undefined
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0
}

const minuteMs = 60_000
/** ECMA-262 §21.4.1.1. */
const dateMs = 8.64e15

/**
 * The minute of an event's time, as `2026-11-30T08:50:00Z`. All that count events go by the same: the time in the data, which whoever wrote
 * the record has noted as a header, else the event's `time`; and where neither is one, when the record was stored.
 */
export function minuteOf(headers: RecordHeaders, timestampMs: number): string {
  const ms = timeOf(headers.get(eventTimeHeader) ?? '') ?? timeOf(headers.get('ce_time') ?? '') ?? timestampMs
  // Whoever writes a record gives it any timestamp; a date goes so far.
  const within = Math.max(-dateMs, Math.min(dateMs, ms))
  return minuteText(Math.floor(within / minuteMs) * minuteMs)
}

let last = { ms: NaN, text: '' }

/** Events that come together share a minute, so that its text is made once. */
function minuteText(ms: number): string {
  if (last.ms !== ms) last = { ms, text: new Date(ms).toISOString().replace('.000Z', 'Z') }
  return last.text
}
