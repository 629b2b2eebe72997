import type { Admin, Offsets } from '@millrace/kafka/admin'
import type { Reader, Span, StoredRecord } from '@millrace/kafka/reader'

/** How far a group is behind on one partition. */
export type PartitionLag = {
  readonly group: string
  readonly topic: string
  readonly partition: number
  readonly committed: bigint
  readonly end: bigint
  readonly messages: number
  /** Age of the oldest message that is not committed; 0 when there is none. */
  readonly seconds: number
}

/** The lag of every group that has committed an offset, whether it has members or not. */
export async function measureLag(admin: Admin, reader: Reader, nowMs: number): Promise<PartitionLag[]> {
  const groups = await admin.groups()
  const lags = await Promise.all(groups.map(({ id }) => lagOfGroup(id, admin, reader, nowMs)))
  return lags.flat()
}

async function lagOfGroup(group: string, admin: Admin, reader: Reader, nowMs: number): Promise<PartitionLag[]> {
  const committed = await admin.committedOffsets(group)
  const ends = await admin.endOffsetsOf([...committed.keys()], 'read-committed')
  const lags: PartitionLag[] = []
  for (const [topic, offsets] of committed) {
    const unread = unreadOf(offsets, ends.get(topic) ?? new Map<number, bigint>())
    const behind = new Map([...unread].filter(([, { start, end }]) => end > start))
    const oldest = behind.size === 0 ? new Map<number, StoredRecord>() : await reader.readFirst(topic, behind)
    for (const [partition, { start, end }] of unread) {
      const timestampMs = oldest.get(partition)?.timestampMs
      const seconds = timestampMs === undefined ? 0 : Math.max(0, (nowMs - timestampMs) / 1_000)
      const messages = end > start ? Number(end - start) : 0
      lags.push({ group, topic, partition, committed: start, end, messages, seconds })
    }
  }
  return lags
}

/** Partitions that have a commit and still exist: a topic may be gone while its commits are not yet. */
function unreadOf(committed: Offsets, ends: Offsets): Map<number, Span> {
  return new Map(
    [...committed].flatMap(([partition, start]): [number, Span][] => {
      const end = ends.get(partition)
      return end === undefined ? [] : [[partition, { start, end }]]
    }),
  )
}
