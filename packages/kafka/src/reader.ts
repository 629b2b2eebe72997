import { Admin as Client, FetchIsolationLevels, ListOffsetTimestamps } from '@platformatic/kafka'
import { clientOptions, type KafkaConnection } from './connection.ts'
import { within } from './deadline.ts'
import { fetchFrom, type FetchLimits, leadersOf, type StoredRecord } from './fetch.ts'

export type { StoredRecord } from './fetch.ts'

/** Offsets of a partition, from `start` up to, but without, `end`. */
export type Span = { readonly start: bigint; readonly end: bigint }

/** The newest records of a topic, and where reading on from them begins. */
export type Latest = {
  /** Newest first, over all partitions. */
  readonly records: readonly StoredRecord[]
  /** The offset after the newest record, by partition. */
  readonly next: ReadonlyMap<number, bigint>
}

/**
 * Reads topics outside any consumer group, `read_committed`, tolerant of holes in the offsets.
 * All throw MillraceError 'kafka.unavailable' | 'kafka.refused' | 'kafka.unknown-topic'.
 */
export type Reader = {
  readonly readLatest: (topic: string, limit: number) => Promise<Latest>
  /**
   * The first record of each partition that a group has before it, by partition. Offsets are not records (transactions leave markers
   * among them), so a span may hold none: then the partition is left out. Reads a batch a partition, not the span.
   */
  readonly readFirst: (topic: string, spans: ReadonlyMap<number, Span>) => Promise<ReadonlyMap<number, StoredRecord>>
  readonly close: () => Promise<void>
}

const timeouts = { connectTimeoutMs: 2_000, requestTimeoutMs: 5_000 } as const
const deadlineMs = 10_000
const closeTimeoutMs = 2_000
const limits: FetchLimits = { maxWaitMs: 100, maxBytes: 16 * 1024 * 1024, partitionMaxBytes: 2 * 1024 * 1024 }
/** A broker answers with one batch at least, however small the limit (KIP-74): one is enough to find a first record. */
const firstLimits: FetchLimits = { maxWaitMs: 100, maxBytes: 1, partitionMaxBytes: 1 }
/** What one answer may hold in memory: beyond it, fewer events than asked for are given. */
const bytesMax = 64 * 1024 * 1024

export function openReader(connection: KafkaConnection): Reader {
  const client = new Client({ ...clientOptions(connection, timeouts), retries: 2, retryDelay: 100 })
  return {
    readLatest: (topic, limit) => within(deadlineMs, `reading the end of ${topic}`, readLatest(client, topic, limit)),
    readFirst: (topic, spans) => within(deadlineMs, `reading ${topic}`, readFirst(client, topic, spans)),
    close: () => within(closeTimeoutMs, 'closing the reader', client.close()),
  }
}

async function readLatest(client: Client, topic: string, limit: number): Promise<Latest> {
  const { topicId, leaders } = await leadersOf(client, topic)
  const spans = await spansOf(client, topic, [...leaders.values()].flat())
  const newest = await Promise.all(
    [...leaders].flatMap(([broker, partitions]) =>
      partitions.map((partition) => {
        const span = spans.get(partition) ?? { start: 0n, end: 0n }
        return readBackwards(client, broker, { name: topic, id: topicId }, partition, span, limit)
      }),
    ),
  )
  return {
    records: newestFirst(newest, limit),
    next: new Map([...spans].map(([partition, { end }]) => [partition, end])),
  }
}

async function readFirst(
  client: Client,
  topic: string,
  spans: ReadonlyMap<number, Span>,
): Promise<Map<number, StoredRecord>> {
  const { topicId, leaders } = await leadersOf(client, topic)
  const reads = [...leaders].flatMap(([broker, partitions]) =>
    partitions.map(async (partition): Promise<[number, StoredRecord][]> => {
      const span = spans.get(partition)
      if (!span) return []
      const first = await firstInSpan(client, broker, { name: topic, id: topicId }, partition, span)
      return first ? [[partition, first]] : []
    }),
  )
  return new Map((await Promise.all(reads)).flat())
}

async function firstInSpan(
  client: Client,
  broker: number,
  topic: TopicName,
  partition: number,
  { start, end }: Span,
): Promise<StoredRecord | undefined> {
  for (let position = start; position < end;) {
    const [fetched] = await fetchFrom(client, broker, topic, new Map([[partition, position]]), firstLimits)
    if (!fetched) return undefined
    const first = fetched.records.find(({ offset }) => offset >= start)
    if (first) return first.offset < end ? first : undefined
    const next = fetched.outOfRange ? fetched.start : fetched.next
    if (next <= position) return undefined
    position = next
  }
  return undefined
}

async function spansOf(client: Client, topic: string, partitions: readonly number[]): Promise<Map<number, Span>> {
  const at = async (timestamp: bigint) => {
    const listed = await client.listOffsets({
      topics: [{ name: topic, partitions: partitions.map((partitionIndex) => ({ partitionIndex, timestamp })) }],
      isolationLevel: FetchIsolationLevels.READ_COMMITTED,
    })
    return new Map(
      listed.flatMap((entry) => entry.partitions.map(({ partitionIndex, offset }) => [partitionIndex, offset])),
    )
  }
  const [starts, ends] = await Promise.all([at(ListOffsetTimestamps.EARLIEST), at(ListOffsetTimestamps.LATEST)])
  return new Map(
    partitions.map((partition) => [partition, { start: starts.get(partition) ?? 0n, end: ends.get(partition) ?? 0n }]),
  )
}

type TopicName = { readonly name: string; readonly id: string }

/** The last `limit` records of a partition. Holes make a first step too short; each further step goes back twice as far. */
async function readBackwards(
  client: Client,
  broker: number,
  topic: TopicName,
  partition: number,
  { start, end }: Span,
  limit: number,
): Promise<StoredRecord[]> {
  let found: StoredRecord[] = []
  let upTo = end
  for (let step = BigInt(limit); upTo > start && found.length < limit; step *= 2n) {
    const from = upTo - step > start ? upTo - step : start
    found = [...(await readSpan(client, broker, topic, partition, { start: from, end: upTo })), ...found]
    upTo = from
  }
  return found.slice(-limit)
}

async function readSpan(
  client: Client,
  broker: number,
  topic: TopicName,
  partition: number,
  { start, end }: Span,
): Promise<StoredRecord[]> {
  const records: StoredRecord[] = []
  let bytes = 0
  for (let position = start; position < end && bytes < bytesMax;) {
    const [fetched] = await fetchFrom(client, broker, topic, new Map([[partition, position]]), limits)
    if (!fetched) break
    if (fetched.outOfRange && fetched.start <= position) break
    for (const record of fetched.records) {
      if (record.offset >= end) break
      records.push(record)
      bytes += (record.value?.length ?? 0) + (record.key?.length ?? 0)
    }
    const next = fetched.outOfRange ? fetched.start : fetched.next
    if (next === position) break
    position = next
  }
  return records
}

/** Merges partitions by timestamp, newest first; within a partition the order of its offsets stands. */
function newestFirst(partitions: StoredRecord[][], limit: number): StoredRecord[] {
  const heads = partitions.map((records) => [...records])
  const merged: StoredRecord[] = []
  while (merged.length < limit) {
    let newest: StoredRecord[] | undefined
    for (const records of heads) {
      const head = records.at(-1)
      const best = newest?.at(-1)
      if (head && (!best || head.timestampMs > best.timestampMs)) newest = records
    }
    const record = newest?.pop()
    if (!record) break
    merged.push(record)
  }
  return merged
}
