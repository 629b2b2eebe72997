/** Whether a dead letter would pass today, and what would be stored of it. */
import type { CatalogEntry } from '@millrace/core/catalog'
import { deadLetterTopic } from '@millrace/core/topic-name'
import { MillraceError } from '@millrace/core/errors'
import { type HeadersRead, replaysHeader } from '@millrace/core/dead-letter'
import type { DeadLetter } from '@millrace/core/read-dead-letter'
import { replayForHeader, replaysMax } from '@millrace/core/replay'
import { type Original, originalOf } from '@millrace/kafka/dead-letters'
import type { OutgoingRecord } from '@millrace/kafka/producer'
import type { StoredRecord } from '@millrace/kafka/reader'
import type { Sealing } from '@millrace/kafka/sealing'
import type { EventTypes } from './event-types.ts'
import { misplacement } from './ingest.ts'
import type { Payloads } from './payloads.ts'

/** A letter that would pass, with the record that is stored of it: same identity, trace, key and bytes. */
export type Ready = {
  readonly outcome: 'ready'
  readonly letter: DeadLetter
  readonly key: string
  readonly record: OutgoingRecord
  readonly schemaId: number
}

export type Judged = Ready | { readonly outcome: 'invalid' | 'looped' | 'unopened' | 'failed'; readonly detail: string }

export type JudgeParts = {
  readonly eventTypes: EventTypes
  readonly payloads: Pick<Payloads, 'take'>
  readonly sealing: Sealing
}

/** By what it is known whether a letter was replayed: what failed, and for whom. So two letters of one failure are replayed once. */
export function letterKey({ by, origin }: DeadLetter, { topic, partition, offset, headers }: StoredRecord): string {
  const { topic: from, partition: fromPartition, offset: fromOffset } = origin
  if (fromPartition !== undefined && fromOffset !== undefined) {
    return JSON.stringify([by, from, fromPartition, String(fromOffset)])
  }
  const [source, id] = [headers.get('ce_source'), headers.get('ce_id')]
  if (source !== undefined && id !== undefined) return JSON.stringify([by, from, source, id])
  return JSON.stringify([topic, partition, String(offset)])
}

export async function judge(
  stored: StoredRecord,
  letter: DeadLetter,
  { eventTypes, payloads, sealing }: JudgeParts,
): Promise<Judged> {
  if (letter.replays >= replaysMax) {
    return { outcome: 'looped', detail: `it was replayed ${letter.replays} times and failed again each time` }
  }
  try {
    const original = originalOf(stored, letter, sealing)
    const entry = entryOf(letter, original, stored.topic, eventTypes)
    if (typeof entry === 'string') return { outcome: 'invalid', detail: entry }
    const taken = await taking(entry, original, payloads)
    if (typeof taken === 'string') return { outcome: 'invalid', detail: taken }
    return {
      outcome: 'ready',
      letter,
      key: letterKey(letter, stored),
      record: replayOf(letter, original, entry),
      ...taken,
    }
  } catch (error) {
    if (!(error instanceof MillraceError)) throw error
    return { outcome: error.code === 'dead-letter.sealed' ? 'unopened' : 'failed', detail: error.message }
  }
}

/** The type of a letter's event, or why it has none. */
function entryOf(
  { origin }: DeadLetter,
  { headers }: Original,
  topic: string,
  eventTypes: EventTypes,
): CatalogEntry | string {
  const type = headers.get('ce_type')
  if (type === undefined || !headers.has('ce_id') || !headers.has('ce_source')) return 'it is no CloudEvent'
  const entry = eventTypes.find(type)
  if (!entry) return `there is no event type "${type}"`
  if (deadLetterTopic(entry.topic) === topic && origin.topic === entry.topic) return entry
  return `the type ${type} is stored in ${entry.topic}, and not where the letter says that it came from`
}

async function taking(
  entry: CatalogEntry,
  { value }: Original,
  payloads: Pick<Payloads, 'take'>,
): Promise<{ readonly schemaId: number } | string> {
  if (value === null) return 'it has no data'
  const taken = await payloads.take(entry, { bytes: value, encoding: 'own' })
  if (!taken.ok) {
    const [first] = taken.problem.errors ?? []
    return first ? `${taken.problem.detail}: ${first.pointer} ${first.detail}` : taken.problem.detail
  }
  if (!taken.value.equals(value)) return 'its bytes are not in the frame that the readers of its topic ask for'
  const misplaced = misplacement(entry, taken.data)
  return misplaced ? `${misplaced.pointer} ${misplaced.detail}` : { schemaId: taken.schemaId }
}

/** What was given up by one reader of the topic is there already, for all others: it names the one for whom it comes again. */
function replayOf(
  { by, replays }: DeadLetter,
  { key, value, ...own }: Original,
  { topic }: CatalogEntry,
): OutgoingRecord {
  const { headers, rawHeaders } = withoutReplay(own)
  const added: [string, string][] = [[replaysHeader, String(replays + 1)]]
  if (by !== 'gateway' && by !== 'unknown') added.push([replayForHeader, by])
  return {
    ...{ topic, key: key ?? undefined, value, timestampMs: Date.now() },
    headers: new Map([...(rawHeaders ? [] : headers), ...added]),
    ...(rawHeaders && { rawHeaders }),
  }
}

function withoutReplay({ headers, rawHeaders }: HeadersRead<Buffer>): HeadersRead<Buffer> {
  const isOwn = (name: string) => name !== replaysHeader && name !== replayForHeader
  return {
    headers: new Map([...headers].filter(([name]) => isOwn(name))),
    rawHeaders: rawHeaders?.filter(([name]) => isOwn(name.toString())),
  }
}
