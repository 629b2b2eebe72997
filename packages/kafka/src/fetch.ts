import { type Admin, fetchV17, FetchIsolationLevels, type RecordsBatch } from '@platformatic/kafka'
import { committedBatches } from './aborted.ts'
import { kafkaError } from './errors.ts'

/** A record that a reader may see: committed, whoever wrote it. */
export type StoredRecord = {
  readonly topic: string
  readonly partition: number
  readonly offset: bigint
  readonly timestampMs: number
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers: ReadonlyMap<string, string>
}

/** What one fetch brought of a partition. Offsets may have holes: of compaction, and of transactions' markers and aborted records. */
export type FetchedPartition = {
  readonly partition: number
  readonly records: readonly StoredRecord[]
  /** Where the next fetch goes on. */
  readonly next: bigint
  /** The first offset that the partition still has. */
  readonly start: bigint
  /** The position asked for is not in the partition any more, or not yet. */
  readonly outOfRange: boolean
}

export type FetchLimits = {
  readonly maxWaitMs: number
  readonly maxBytes: number
  readonly partitionMaxBytes: number
}

/** Partitions by the broker that leads them. */
export type Leaders = ReadonlyMap<number, readonly number[]>

const sessionless = { id: 0, epoch: -1 } as const
const offsetOutOfRange = 1
const minBytes = 1

/** Who leads which partitions of a topic now. `topicId` is what a fetch names the topic by. */
export async function leadersOf(client: Admin, topic: string): Promise<{ topicId: string; leaders: Leaders }> {
  const { topics } = await client.metadata({ topics: [topic], forceUpdate: true })
  const metadata = topics.get(topic)
  const partitions = metadata?.partitions ?? []
  const leaders = new Map<number, number[]>()
  for (const [partition, { leader }] of partitions.entries()) {
    leaders.set(leader, [...(leaders.get(leader) ?? []), partition])
  }
  return { topicId: metadata?.id ?? '', leaders }
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
): Promise<FetchedPartition[]> {
  const connection = (await client.connectToBrokers([broker])).get(broker)
  if (!connection) throw kafkaError(new Error(`broker ${broker} is not in the cluster`), `reading ${topic.name}`)
  const partitions = [...positions].map(([partition, fetchOffset]) => ({
    partition,
    currentLeaderEpoch: -1,
    lastFetchedEpoch: -1,
    fetchOffset,
    partitionMaxBytes: limits.partitionMaxBytes,
  }))
  const response = await fetchV17.api
    .async(
      connection,
      limits.maxWaitMs,
      minBytes,
      limits.maxBytes,
      FetchIsolationLevels.READ_COMMITTED,
      sessionless.id,
      sessionless.epoch,
      [{ topicId: topic.id, partitions }],
      [],
      '',
    )
    .catch((error: unknown) => responseOf(error))
  return response.responses.flatMap(({ partitions: fetched }) =>
    fetched.map((partition) => readPartition(topic.name, partition, positions.get(partition.partitionIndex) ?? 0n)),
  )
}

type Response = Awaited<ReturnType<typeof fetchV17.api.async>>
type ResponsePartition = Response['responses'][number]['partitions'][number]

/** A fetch whose only fault is that a position is out of range is an answer; every other fault is thrown. */
function responseOf(error: unknown): Response {
  const response: unknown = error instanceof Error ? Reflect.get(error, 'response') : undefined
  if (isResponse(response) && response.errorCode === 0 && response.responses.every(hasOnlyRangeErrors)) return response
  throw error
}

function hasOnlyRangeErrors({ partitions }: Response['responses'][number]): boolean {
  return partitions.every(({ errorCode }) => errorCode === 0 || errorCode === offsetOutOfRange)
}

function isResponse(value: unknown): value is Response {
  return typeof value === 'object' && value !== null && 'responses' in value && Array.isArray(value.responses)
}

function readPartition(topic: string, fetched: ResponsePartition, position: bigint): FetchedPartition {
  const { partitionIndex: partition, logStartOffset: start } = fetched
  if (fetched.errorCode === offsetOutOfRange) {
    return { partition, records: [], next: position, start, outOfRange: true }
  }
  const batches = fetched.records ?? []
  const last = batches.at(-1)
  const records = committedBatches(batches, fetched.abortedTransactions ?? [])
    .flatMap((batch) => recordsOf(topic, partition, batch))
    .filter((record) => record.offset >= position) // a batch is sent whole, from its first record on
  const end = last ? last.firstOffset + BigInt(last.lastOffsetDelta) + 1n : position
  return { partition, records, next: end > position ? end : position, start, outOfRange: false }
}

function recordsOf(topic: string, partition: number, batch: RecordsBatch): StoredRecord[] {
  return batch.records.map((record) => ({
    topic,
    partition,
    offset: batch.firstOffset + BigInt(record.offsetDelta),
    timestampMs: Number(batch.firstTimestamp + record.timestampDelta),
    key: record.key,
    value: record.value,
    headers: new Map(record.headers.map(([name, value]) => [name?.toString() ?? '', value?.toString() ?? ''])),
  }))
}
