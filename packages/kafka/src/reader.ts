import { setTimeout as sleep } from 'node:timers/promises'
import { Admin as Client, FetchIsolationLevels, ListOffsetTimestamps } from '@platformatic/kafka'
import type { Offsets } from './admin.ts'
import { clientOptions, guarded, type KafkaConnection } from './connection.ts'
import { within } from './deadline.ts'
import { kafkaError } from './errors.ts'
import { fetchFrom, type FetchLimits, leadersOf, type StoredRecord } from './fetch.ts'
import type { Gap } from './follower.ts'
import { type NamedTopic, readForward } from './read-forward.ts'
import { readLatest, type Span } from './read-latest.ts'

export type { StoredRecord } from './fetch.ts'
export type { Span } from './read-latest.ts'

/** The newest records of a topic, and where reading on from them begins. */
export type Latest = {
  /** Newest first, over all partitions. */
  readonly records: readonly StoredRecord[]
  /** The offset after the newest record, by partition. */
  readonly next: Offsets
}

/** What a topic has from somewhere on. */
export type Page =
  | {
      readonly found: 'records'
      /** Oldest first, over all partitions. */
      readonly records: readonly StoredRecord[]
      /** Where reading goes on, for all partitions. */
      readonly next: Offsets
      /** Nothing more is there for now, or up to where it was asked for. */
      readonly atEnd: boolean
    }
  /** Records that were asked for are gone; `next` is where reading can go on without them. */
  | { readonly found: 'gap'; readonly gaps: readonly Gap[]; readonly next: Offsets }
  /** The position was never in the topic. */
  | { readonly found: 'nothing'; readonly partition: number }

export type ReadPosition = 'earliest' | 'latest' | { readonly timestampMs: number }

/**
 * Reads topics outside any consumer group, `read_committed`, tolerant of holes in the offsets; each call is bounded in bytes and time.
 * All throw MillraceError 'kafka.unavailable' | 'kafka.refused' | 'kafka.unknown-topic'.
 */
export type Reader = {
  /** Fewer records than `limit` when they are large. */
  readonly readLatest: (topic: string, limit: number) => Promise<Latest>
  /**
   * Fewer records than `limit` when they are large or many offsets have none.
   * @param from by partition; those that are not named begin at 0
   * @param upTo where to stop, by partition; without it, where the committed records end
   */
  readonly readPage: (topic: string, from: Offsets, limit: number, upTo?: Offsets) => Promise<Page>
  /** The offsets of a position; for a time the first record of that time or later, by partition, or the end. */
  readonly offsetsAt: (topic: string, position: ReadPosition) => Promise<Offsets>
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
/** Leaders that have changed say so themselves, and new partitions are seen after this time. */
const leadersMaxAgeMs = 2_000
const knownTopicsMax = 1_000
const attempts = 3
const retryDelayMs = 200
/** A broker answers with one batch at least, however small the limit (KIP-74): one is enough to find a first record. */
const firstLimits: FetchLimits = { maxWaitMs: 100, minBytes: 1, maxBytes: 1, partitionMaxBytes: 1 }

export function openReader(connection: KafkaConnection): Reader {
  const client = guarded(new Client({ ...clientOptions(connection, timeouts), retries: 2, retryDelay: 100 }))
  const known = new Map<string, { readonly topic: NamedTopic; readonly atMs: number }>()

  async function leaders(name: string): Promise<NamedTopic> {
    const found = known.get(name)
    return found && performance.now() - found.atMs < leadersMaxAgeMs ? found.topic : freshLeaders(name)
  }

  async function freshLeaders(name: string): Promise<NamedTopic> {
    const topic = { name, ...(await leadersOf(client, name)) }
    if (known.size >= knownTopicsMax) known.clear()
    known.set(name, { topic, atMs: performance.now() })
    return topic
  }

  /** Leaders may have changed: then they are asked for again. */
  async function read<T>(name: string, work: (topic: NamedTopic) => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await work(await leaders(name))
      } catch (error) {
        known.delete(name)
        if (attempt === attempts || !kafkaError(error, '').retryable) throw error
        await sleep(retryDelayMs)
      }
    }
  }

  const bounded = <T>(name: string, work: (topic: NamedTopic) => Promise<T>) =>
    within(deadlineMs, `reading ${name}`, read(name, work))
  return {
    readLatest: (name, limit) => bounded(name, (topic) => latest(client, topic, limit)),
    readPage: (name, from, limit, upTo) =>
      bounded(name, async (topic) => {
        const first = await page(client, topic, from, limit, upTo)
        if (first.found !== 'nothing') return first
        // The topic may have more partitions than was known.
        return page(client, await freshLeaders(name), from, limit, upTo)
      }),
    offsetsAt: (name, position) => bounded(name, (topic) => offsetsAt(client, topic, position)),
    readFirst: (name, spans) => bounded(name, (topic) => readFirst(client, topic, spans)),
    close: () => within(closeTimeoutMs, 'closing the reader', client.close()),
  }
}

async function latest(client: Client, topic: NamedTopic, limit: number): Promise<Latest> {
  const { starts, ends } = await bounds(client, topic)
  const spans = new Map([...ends].map(([partition, end]) => [partition, { start: starts.get(partition) ?? 0n, end }]))
  return { records: await readLatest(client, topic, spans, limit), next: ends }
}

async function page(
  client: Client,
  topic: NamedTopic,
  from: Offsets,
  limit: number,
  upTo: Offsets | undefined,
): Promise<Page> {
  const partitions = [...topic.leaders.values()].flat()
  const foreign = [...from.keys()].find((partition) => !partitions.includes(partition))
  if (foreign !== undefined) return { found: 'nothing', partition: foreign }
  const { outOfRange, records, next, atEnd } = await readForward(client, topic, from, limit, upTo)
  if (outOfRange.length === 0) return { found: 'records', records, next, atEnd }
  const { starts } = await bounds(client, topic)
  const gaps = partitions.flatMap((partition): Gap[] => {
    const [asked, start] = [from.get(partition) ?? 0n, starts.get(partition) ?? 0n]
    return start > asked ? [{ partition, from: asked, to: start }] : []
  })
  const beyond = outOfRange.find((partition) => !gaps.some((gap) => gap.partition === partition))
  if (beyond !== undefined) return { found: 'nothing', partition: beyond }
  const goOn = partitions.map((partition): [number, bigint] => [partition, from.get(partition) ?? 0n])
  return {
    found: 'gap',
    gaps,
    next: new Map([...goOn, ...gaps.map(({ partition, to }): [number, bigint] => [partition, to])]),
  }
}

async function offsetsAt(client: Client, topic: NamedTopic, position: ReadPosition): Promise<Offsets> {
  if (position === 'earliest') return listOffsets(client, topic, ListOffsetTimestamps.EARLIEST)
  const ends = await listOffsets(client, topic, ListOffsetTimestamps.LATEST)
  if (position === 'latest') return ends
  const found = await listOffsets(client, topic, BigInt(position.timestampMs))
  // Kafka answers −1 where no record is that young.
  return new Map([...ends].map(([partition, end]) => [partition, unlessNone(found.get(partition), end)]))
}

function unlessNone(found: bigint | undefined, end: bigint): bigint {
  return found === undefined || found < 0n ? end : found
}

async function bounds(client: Client, topic: NamedTopic): Promise<{ starts: Offsets; ends: Offsets }> {
  const [starts, ends] = await Promise.all([
    listOffsets(client, topic, ListOffsetTimestamps.EARLIEST),
    listOffsets(client, topic, ListOffsetTimestamps.LATEST),
  ])
  return { starts, ends }
}

async function listOffsets(client: Client, { name, leaders }: NamedTopic, timestamp: bigint): Promise<Offsets> {
  const partitions = [...leaders.values()].flat().map((partitionIndex) => ({ partitionIndex, timestamp }))
  const isolationLevel = FetchIsolationLevels.READ_COMMITTED
  const listed = await client.listOffsets({ topics: [{ name, partitions }], isolationLevel })
  return new Map(
    listed.flatMap((topic) => topic.partitions.map(({ partitionIndex, offset }) => [partitionIndex, offset])),
  )
}

async function readFirst(
  client: Client,
  topic: NamedTopic,
  spans: ReadonlyMap<number, Span>,
): Promise<Map<number, StoredRecord>> {
  const reads = [...topic.leaders].flatMap(([broker, partitions]) =>
    partitions.map(async (partition): Promise<[number, StoredRecord][]> => {
      const span = spans.get(partition)
      if (!span) return []
      const first = await firstInSpan(client, broker, topic, partition, span)
      return first ? [[partition, first]] : []
    }),
  )
  return new Map((await Promise.all(reads)).flat())
}

async function firstInSpan(
  client: Client,
  broker: number,
  topic: NamedTopic,
  partition: number,
  { start, end }: Span,
): Promise<StoredRecord | undefined> {
  const named = { name: topic.name, id: topic.topicId }
  for (let position = start; position < end;) {
    const [fetched] = await fetchFrom(client, broker, named, new Map([[partition, position]]), firstLimits)
    if (!fetched) return undefined
    const first = fetched.records[0]
    if (first) return first.offset < end ? first : undefined
    const next = fetched.outOfRange ? await startOf(client, topic, partition) : fetched.next
    if (next <= position) return undefined
    position = next
  }
  return undefined
}

async function startOf(client: Client, topic: NamedTopic, partition: number): Promise<bigint> {
  return (await listOffsets(client, topic, ListOffsetTimestamps.EARLIEST)).get(partition) ?? 0n
}
