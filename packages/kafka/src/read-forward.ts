/** Reads a topic forwards, all partitions merged by time. What one call may cost is bounded: it gives fewer records then, and says where to go on. */
import type { Admin as Client } from '@platformatic/kafka'
import type { Offsets } from './admin.ts'
import { type FetchedPartition, fetchFrom, type FetchLimits, type StoredRecord, type TopicLeaders } from './fetch.ts'

export type NamedTopic = TopicLeaders & { readonly name: string }

export type Forward = {
  /** By time over all partitions; within a partition in the order of its offsets. */
  readonly records: readonly StoredRecord[]
  /** Where reading goes on, for all partitions. */
  readonly next: Offsets
  /** Nothing more is there for now, or up to where it was asked for. */
  readonly atEnd: boolean
  /** Partitions that could not be read because the position is not in them: taken by retention, or never there. */
  readonly outOfRange: readonly number[]
}

const kibibyte = 1_024
/** A fetch answers at once with what there is; it waits a little where there should have been something. */
const waitMs = { first: 0, again: 100 } as const
const fetchBytesMax = 2 * 1024 * kibibyte
const partitionBytes = { perRecord: 2 * kibibyte, min: 4 * kibibyte, max: 256 * kibibyte } as const
/** What all partitions together may have waiting, but for a batch each, which a broker gives however large it is. */
const waitingBytesMax = 16 * 1024 * kibibyte
/** What a call may fetch and how long it may go on. */
const fetchedBytesMax = 32 * 1024 * kibibyte
const timeMsMax = 4_000
/** Where nothing is found at all, as in a long stretch of aborted transactions: then the next page goes on behind it. */
const emptyTimeMsMax = 8_000
/** What a call may give. One record is given even if it is larger. */
const givenBytesMax = 8 * 1024 * kibibyte

/** A partition while it is read: what is fetched and not given yet, and up to where it goes. */
type Lane = {
  readonly partition: number
  readonly upTo: bigint | undefined
  position: bigint
  end: bigint | undefined
  waiting: readonly StoredRecord[]
  given: number
}

/**
 * @param from by partition; those that are not named begin at 0
 * @param upTo where to stop, by partition; without it, where the committed records end
 * @throws MillraceError 'kafka.unavailable' (ask for the leaders again) | 'kafka.refused' | 'kafka.unknown-topic'
 */
export async function readForward(
  client: Client,
  topic: NamedTopic,
  from: Offsets,
  limit: number,
  upTo?: Offsets,
): Promise<Forward> {
  const lanes = new Map<number, Lane>()
  for (const partition of [...topic.leaders.values()].flat().sort((a, b) => a - b)) {
    const position = from.get(partition) ?? 0n
    const bound = upTo && (upTo.get(partition) ?? 0n)
    lanes.set(partition, { partition, position, upTo: bound, end: bound, waiting: [], given: 0 })
  }
  const records: StoredRecord[] = []
  const outOfRange: number[] = []
  const deadline = performance.now() + timeMsMax
  const lastDeadline = performance.now() + emptyTimeMsMax
  let fetchedBytes = 0
  let room = givenBytesMax
  let hasAdvanced = true
  // Within the bounds, but never nothing where there is something: who gets nothing takes it for the end.
  const isWithinBounds = () => fetchedBytes < fetchedBytesMax && performance.now() < deadline
  while (
    records.length < limit &&
    room > 0 &&
    (records.length === 0 ? performance.now() < lastDeadline : isWithinBounds())
  ) {
    const hungry = [...lanes.values()].filter(isHungry)
    if (hungry.length === 0) break
    const fetches = await fetchLanes(client, topic, hungry, limit, hasAdvanced ? waitMs.first : waitMs.again)
    hasAdvanced = fetches.some(({ position, next }) => next > position)
    for (const fetched of fetches) {
      const lane = lanes.get(fetched.partition)
      if (!lane) continue
      if (fetched.outOfRange) outOfRange.push(fetched.partition)
      fetchedBytes += fill(lane, fetched)
    }
    if (outOfRange.length > 0) break
    room = give(lanes, records, limit, room)
  }
  const all = [...lanes.values()]
  return {
    records,
    next: new Map(all.map((lane) => [lane.partition, lane.waiting[lane.given]?.offset ?? lane.position])),
    atEnd: outOfRange.length === 0 && all.every((lane) => lane.given === lane.waiting.length && isExhausted(lane)),
    outOfRange,
  }
}

function isExhausted({ position, end }: Lane): boolean {
  return end !== undefined && position >= end
}

function isHungry(lane: Lane): boolean {
  return lane.given === lane.waiting.length && !isExhausted(lane)
}

async function fetchLanes(
  client: Client,
  { name, topicId: id, leaders }: NamedTopic,
  hungry: readonly Lane[],
  limit: number,
  maxWaitMs: number,
): Promise<FetchedPartition[]> {
  const { perRecord, min, max } = partitionBytes
  const share = waitingBytesMax / [...leaders.values()].flat().length
  const partitionMaxBytes = Math.ceil(Math.max(min, Math.min(max, share, limit * perRecord)))
  const limits: FetchLimits = { maxWaitMs, minBytes: 1, maxBytes: fetchBytesMax, partitionMaxBytes }
  const fetches = [...leaders].map(async ([broker, partitions]) => {
    const wanted = hungry.filter(({ partition }) => partitions.includes(partition))
    if (wanted.length === 0) return []
    const positions = new Map(wanted.map(({ partition, position }) => [partition, position]))
    return fetchFrom(client, broker, { name, id }, positions, limits)
  })
  return (await Promise.all(fetches)).flat()
}

/** @returns the bytes that were fetched */
function fill(lane: Lane, { records, next, end }: FetchedPartition): number {
  const { upTo } = lane
  lane.waiting = upTo === undefined ? records : records.filter(({ offset }) => offset < upTo)
  lane.given = 0
  lane.position = upTo !== undefined && next > upTo ? upTo : next
  lane.end = upTo ?? end
  return records.reduce((bytes, record) => bytes + bytesOf(record), 0)
}

/**
 * Gives the oldest of the partitions' heads, again and again, while each partition has one or has ended.
 * @returns the bytes that may still be given
 */
function give(lanes: ReadonlyMap<number, Lane>, records: StoredRecord[], limit: number, room: number): number {
  let left = room
  while (records.length < limit && left > 0) {
    let oldest: Lane | undefined
    for (const lane of lanes.values()) {
      if (isHungry(lane)) return left
      const head = lane.waiting[lane.given]
      const best = oldest?.waiting[oldest.given]
      if (head && (!best || head.timestampMs < best.timestampMs)) oldest = lane
    }
    const record = oldest?.waiting[oldest.given]
    if (!oldest || !record) return left
    oldest.given += 1
    records.push(record)
    left -= bytesOf(record)
  }
  return left
}

function bytesOf({ key, value, headers }: StoredRecord): number {
  return (value?.length ?? 0) + (key?.length ?? 0) + headers.size * headerBytes
}

/** About what a header takes; counting the bytes of each would cost more than it tells. */
const headerBytes = 64
