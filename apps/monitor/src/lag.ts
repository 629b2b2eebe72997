import type { Admin } from '@millrace/kafka/admin'
import type { Reader } from '@millrace/kafka/reader'

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

/** Offsets may have holes, so the oldest uncommitted message is looked for a little further than where it should be. */
const lookAhead = 50n

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
    for (const [partition, offset] of offsets) {
      const end = ends.get(topic)?.get(partition)
      if (end === undefined) continue // the topic is gone, its commits are not yet
      const messages = end > offset ? Number(end - offset) : 0
      const seconds = messages === 0 ? 0 : await age(reader, topic, partition, offset, end, nowMs)
      lags.push({ group, topic, partition, committed: offset, end, messages, seconds })
    }
  }
  return lags
}

async function age(
  reader: Reader,
  topic: string,
  partition: number,
  offset: bigint,
  end: bigint,
  nowMs: number,
): Promise<number> {
  const to = offset + lookAhead < end ? offset + lookAhead : end
  const [oldest] = await reader.readRange(topic, partition, offset, to)
  return oldest ? Math.max(0, (nowMs - oldest.timestampMs) / 1_000) : 0
}
