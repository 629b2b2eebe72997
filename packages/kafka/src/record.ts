import type { RawHeader } from '@millrace/core/dead-letter'

/** A record to be stored. Without a key it goes to any partition; with one, to the key's, unless `partition` says otherwise. */
export type OutgoingRecord = {
  readonly topic: string
  readonly key?: Buffer | undefined
  readonly value: Buffer | null
  readonly headers: ReadonlyMap<string, string>
  /** Headers as they are, which stand before `headers`. */
  readonly rawHeaders?: readonly RawHeader<Buffer>[] | undefined
  readonly timestampMs: number
  readonly partition?: number | undefined
}

/** Where a record is, once all in-sync replicas have it. */
export type StoredAt = { readonly partition: number; readonly offset: bigint }

/** What a record and a header add to a batch at most, beyond their own bytes (lengths, times, attributes). */
const recordOverheadBytes = 40
const headerOverheadBytes = 10

/** The size of a record in a batch, never less than it really is: a character of a header counts as three bytes. */
export function recordBytes(record: OutgoingRecord): number {
  let bytes = recordOverheadBytes + (record.value?.length ?? 0) + (record.key?.length ?? 0)
  for (const [name, value] of record.headers) bytes += headerOverheadBytes + 3 * (name.length + value.length)
  for (const [name, value] of record.rawHeaders ?? []) bytes += headerOverheadBytes + name.length + (value?.length ?? 0)
  return bytes
}
