import type { HeadersRead } from '@millrace/core/dead-letter'
import type { MillraceError } from '@millrace/core/errors'
import { type Admin, createAPI, fetchV17, FetchIsolationLevels } from '@platformatic/kafka'
import { committedBatches } from './aborted.ts'
import { kafkaError } from './errors.ts'
import { type FetchResponse, type PartitionResponse, readFetchResponse, type RecordBatch } from './fetch-response.ts'
import { protocolError } from './produce-verdict.ts'

/** A record that a reader may see: committed, whoever wrote it. */
export type StoredRecord = HeadersRead<Buffer> & {
  readonly topic: string
  readonly partition: number
  readonly offset: bigint
  readonly timestampMs: number
  readonly key: Buffer | null
  readonly value: Buffer | null
}

/** What one fetch brought of a partition. Offsets may have holes: of compaction, and of transactions' markers and aborted records. */
export type FetchedPartition = {
  readonly topic: string
  readonly partition: number
  /** The position that was asked for. */
  readonly position: bigint
  readonly records: readonly StoredRecord[]
  /** Where the next fetch goes on. */
  readonly next: bigint
  /** Where the committed records end for now. */
  readonly end: bigint
  /** The position asked for is not in the partition any more, or not yet. */
  readonly outOfRange: boolean
}

/** A partition that a fetch could not read: its leader has changed, or its topic is gone. */
export type FailedPartition = { readonly topic: string; readonly partition: number; readonly error: MillraceError }

export type Fetched = { readonly read: readonly FetchedPartition[]; readonly failed: readonly FailedPartition[] }

/** Of a topic, from which offset on each partition is wanted. `id` is what a fetch names the topic by. */
export type WantedTopic = {
  readonly name: string
  readonly id: string
  readonly positions: ReadonlyMap<number, bigint>
}

export type FetchLimits = {
  /** How long the broker waits for `minBytes` to be there; it answers with what there is then. */
  readonly maxWaitMs: number
  readonly minBytes: number
  readonly maxBytes: number
  readonly partitionMaxBytes: number
}

/** Partitions by the broker that leads them. */
export type Leaders = ReadonlyMap<number, readonly number[]>

/** Who leads the partitions of a topic. `topicId` is what a fetch names the topic by. */
export type TopicLeaders = { readonly topicId: string; readonly leaders: Leaders }

const sessionless = { id: 0, epoch: -1 } as const
const offsetOutOfRange = 1

/** Who leads which partitions of a topic now. */
export async function leadersOf(client: Admin, topic: string): Promise<TopicLeaders> {
  return (await leadersOfAll(client, [topic])).get(topic) ?? { topicId: '', leaders: new Map() }
}

/** The same of several topics at once; one that is unknown fails them all. */
export async function leadersOfAll(client: Admin, names: readonly string[]): Promise<Map<string, TopicLeaders>> {
  const { topics } = await client.metadata({ topics: [...names], forceUpdate: true })
  return new Map(
    names.map((name) => {
      const metadata = topics.get(name)
      const leaders = new Map<number, number[]>()
      for (const [partition, { leader }] of (metadata?.partitions ?? []).entries()) {
        leaders.set(leader, [...(leaders.get(leader) ?? []), partition])
      }
      return [name, { topicId: metadata?.id ?? '', leaders }]
    }),
  )
}

/**
 * Reads committed records of partitions that one broker leads, outside any consumer group.
 * @param positions the offset to begin with, by partition
 * @throws MillraceError 'kafka.unavailable' (ask for the leaders again) | 'kafka.refused' | 'kafka.unknown-topic'
 */
export async function fetchFrom(
  client: Admin,
  broker: number,
  topic: { readonly name: string; readonly id: string },
  positions: ReadonlyMap<number, bigint>,
  limits: FetchLimits,
): Promise<readonly FetchedPartition[]> {
  const { read, failed } = await fetchTopics(client, broker, [{ ...topic, positions }], limits)
  if (failed[0]) throw failed[0].error
  return read
}

/**
 * Reads committed records of several topics in one request. What fails of one partition is told beside what was read of the others.
 * @throws MillraceError when the broker does not answer, or not for these topics
 */
export async function fetchTopics(
  client: Admin,
  broker: number,
  wanted: readonly WantedTopic[],
  limits: FetchLimits,
): Promise<Fetched> {
  const connection = (await client.connectToBrokers([broker])).get(broker)
  if (!connection) throw kafkaError(new Error(`broker ${broker} is not in the cluster`), 'reading')
  const topics = wanted.map(({ id, positions }) => ({
    topicId: id,
    partitions: [...positions].map(([partition, fetchOffset]) => ({
      partition,
      currentLeaderEpoch: -1,
      lastFetchedEpoch: -1,
      fetchOffset,
      partitionMaxBytes: limits.partitionMaxBytes,
    })),
  }))
  const { maxWaitMs, minBytes, maxBytes } = limits
  const isolation = FetchIsolationLevels.READ_COMMITTED
  const { id, epoch } = sessionless
  const response = await fetchApi.async(connection, maxWaitMs, minBytes, maxBytes, isolation, id, epoch, topics, [], '')
  if (response.errorCode !== 0) throw kafkaError(protocolError(response.errorCode), 'reading')
  return fetchedOf(response, wanted)
}

/** The library's request; its reading of the answer is replaced. */
const fetchApi = createAPI<Parameters<typeof fetchV17.createRequest>, FetchResponse>(
  fetchV17.api.key,
  fetchV17.api.version,
  fetchV17.createRequest,
  (_correlationId, _apiKey, _apiVersion, reader) => readFetchResponse(reader.buffer.buffer),
)

function fetchedOf({ partitions }: FetchResponse, wanted: readonly WantedTopic[]): Fetched {
  const byId = new Map(wanted.map((topic) => [topic.id, topic]))
  const read: FetchedPartition[] = []
  const failed: FailedPartition[] = []
  for (const fetched of partitions) {
    const topic = byId.get(fetched.topicId)
    if (!topic) continue
    const { partition, errorCode } = fetched
    // What cannot be read of one, for whatever reason, must not hold up the others.
    try {
      if (errorCode !== 0 && errorCode !== offsetOutOfRange) throw protocolError(errorCode)
      read.push(readPartition(topic.name, fetched, topic.positions.get(partition) ?? 0n))
    } catch (cause) {
      const error = kafkaError(cause, `reading partition ${partition} of ${topic.name}`)
      failed.push({ topic: topic.name, partition, error })
    }
  }
  return { read, failed }
}

function readPartition(topic: string, fetched: PartitionResponse, position: bigint): FetchedPartition {
  const { partition, lastStableOffset, batches, abortedTransactions } = fetched
  const at = { topic, partition, position }
  if (fetched.errorCode === offsetOutOfRange) {
    return { ...at, records: [], next: position, end: position, outOfRange: true }
  }
  const last = batches.at(-1)
  const records = committedBatches(batches, abortedTransactions)
    .flatMap((batch) => recordsOf(topic, partition, batch))
    .filter((record) => record.offset >= position) // a batch is sent whole, from its first record on
  const after = last ? last.firstOffset + BigInt(last.lastOffsetDelta) + 1n : position
  const next = after > position ? after : position
  return { ...at, records, next, end: lastStableOffset > next ? lastStableOffset : next, outOfRange: false }
}

function recordsOf(topic: string, partition: number, batch: RecordBatch): StoredRecord[] {
  return batch.records.map(({ offsetDelta, timestampDelta, ...record }) => ({
    topic,
    partition,
    offset: batch.firstOffset + BigInt(offsetDelta),
    timestampMs: batch.appendTimeMs ?? batch.firstTimestampMs + timestampDelta,
    ...record,
  }))
}
