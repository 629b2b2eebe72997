import type { Admin } from '@millrace/kafka/admin'
import type { Reader } from '@millrace/kafka/reader'

/** A consumer group and the topic that it reads. */
export type Consumption = { readonly group: string; readonly topic: string }

/** The offsets that a group has before it on a partition. Not each of them is a record: transactions leave markers. */
type Unread = { readonly partition: number; readonly from: bigint; readonly to: bigint }

/** How many offsets a group is behind, as its lag is usually counted. */
export async function lagOf(admin: Admin, consumption: Consumption): Promise<number> {
  const unread = await unreadOf(admin, consumption)
  return unread.reduce((total, { from, to }) => total + Number(to - from), 0)
}

/** Whether a group has committed every record of its topic: what is left of its lag is markers alone. */
export async function isCaughtUp(admin: Admin, reader: Reader, consumption: Consumption): Promise<boolean> {
  for (const { partition, from, to } of await unreadOf(admin, consumption)) {
    if (to - from > markersMax) return false
    const records = await reader.readRange(consumption.topic, partition, from, to)
    if (records.length > 0) return false
  }
  return true
}

/** More than this are never markers alone: a partition ends in one, or few where transactions were aborted. */
const markersMax = 100n

async function unreadOf(admin: Admin, { group, topic }: Consumption): Promise<Unread[]> {
  const [committed, ends] = await Promise.all([admin.committedOffsets(group), admin.endOffsets(topic)])
  return [...ends].flatMap(([partition, to]) => {
    const from = committed.get(topic)?.get(partition) ?? 0n
    return to > from ? [{ partition, from, to }] : []
  })
}
