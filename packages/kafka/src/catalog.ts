import { type CatalogEntry, catalogTopic, parseCatalogEntry } from '@millrace/core/catalog'
import type { MillraceError } from '@millrace/core/errors'
import { parsedJson } from '@millrace/core/json'
import type { KafkaConnection } from './connection.ts'
import type { StoredRecord } from './fetch.ts'
import type { Producer, StoredAt } from './producer.ts'
import { within } from './deadline.ts'
import { followWholeTopic } from './whole-topic.ts'

/** Puts an event type into the catalog, or in the place of its former entry: every API instance has it within moments. */
export function putCatalogEntry(producer: Producer, entry: CatalogEntry): Promise<StoredAt> {
  return producer.send({
    topic: catalogTopic,
    key: Buffer.from(entry.type),
    value: Buffer.from(JSON.stringify(entry)),
    headers: new Map([['content-type', 'application/json']]),
    timestampMs: Date.now(),
  })
}

/** Takes an event type out of the catalog, by a record whose value is empty. */
export function withdrawCatalogEntry(producer: Producer, type: string): Promise<StoredAt> {
  return producer.send({
    topic: catalogTopic,
    key: Buffer.from(type),
    value: Buffer.alloc(0),
    headers: new Map(),
    timestampMs: Date.now(),
  })
}

/**
 * What the catalog topic says, kept up to date. A topic belongs to the type whose entry has it first, in the order of the log, which is
 * the same for everybody: an entry that has the topic of another type is as good as none.
 */
export type CatalogFollower = {
  readonly entries: () => ReadonlyMap<string, CatalogEntry>
  /**
   * Resolves when the entries hold what was written at this offset.
   * @throws MillraceError 'kafka.unavailable' when that takes too long
   */
  readonly reached: (offset: bigint) => Promise<void>
  readonly close: () => Promise<void>
}

export type CatalogListener = {
  /** An entry is new, changed, or gone (`undefined`). */
  readonly onChange?: (type: string, entry: CatalogEntry | undefined) => void
  readonly onTrouble?: (error: MillraceError) => void
  /** A record that this version does not understand; the type keeps its former entry. */
  readonly onUnreadable?: (type: string) => void
}

const catchUpTimeoutMs = 30_000
const reachTimeoutMs = 10_000

/**
 * Reads the whole catalog, then follows it. Resolves when all that was there at the call is known.
 * @throws MillraceError 'kafka.unknown-topic' | 'kafka.unavailable' | 'kafka.refused'
 */
export async function followCatalog(
  connection: KafkaConnection,
  listener: CatalogListener = {},
): Promise<CatalogFollower> {
  const entries = new Map<string, CatalogEntry>()
  const owners = new Map<string, string>()
  const topic = await followWholeTopic(
    connection,
    catalogTopic,
    { onRecord: (record) => applyRecord({ entries, owners }, record, listener), onTrouble: listener.onTrouble },
    catchUpTimeoutMs,
  )
  return {
    entries: () => entries,
    reached: (offset) => within(reachTimeoutMs, 'reading back what was written to the catalog', topic.passed(offset)),
    close: topic.close,
  }
}

/** The catalog as it is now. */
export async function readCatalog(connection: KafkaConnection): Promise<ReadonlyMap<string, CatalogEntry>> {
  const follower = await followCatalog(connection)
  await follower.close()
  return follower.entries()
}

/** `owners` has the type that each topic belongs to. */
type Known = { readonly entries: Map<string, CatalogEntry>; readonly owners: Map<string, string> }

function applyRecord({ entries, owners }: Known, record: StoredRecord, listener: CatalogListener): void {
  const type = record.key?.toString() ?? ''
  const former = entries.get(type)
  if (record.value === null || record.value.length === 0) {
    if (former) owners.delete(former.topic)
    entries.delete(type)
    listener.onChange?.(type, undefined)
    return
  }
  const entry = parseCatalogEntry(parsedJson(record.value.toString()))
  if (entry?.type !== type) {
    listener.onUnreadable?.(type)
    return
  }
  if ((owners.get(entry.topic) ?? type) !== type) return
  if (former) owners.delete(former.topic)
  owners.set(entry.topic, type)
  entries.set(type, entry)
  listener.onChange?.(type, entry)
}
