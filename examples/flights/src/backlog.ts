import type { Admin } from '@millrace/kafka/admin'
import type { Reader, Span } from '@millrace/kafka/reader'

/** A consumer group and the topic that it reads. */
export type Consumption = { readonly group: string; readonly topic: string }

/** How many offsets a group is behind, as its lag is usually counted. */
export async function lagOf(admin: Admin, consumption: Consumption): Promise<number> {
  const unread = await unreadOf(admin, consumption)
  return [...unread.values()].reduce((total, { start, end }) => total + Number(end - start), 0)
}

/** Whether a group has committed every record of its topic: what is left of its lag is transactions' markers alone. */
export async function isCaughtUp(admin: Admin, reader: Reader, consumption: Consumption): Promise<boolean> {
  const unread = await unreadOf(admin, consumption)
  return unread.size === 0 || (await reader.readFirst(consumption.topic, unread)).size === 0
}

async function unreadOf(admin: Admin, { group, topic }: Consumption): Promise<Map<number, Span>> {
  const [committed, ends] = await Promise.all([admin.committedOffsets(group), admin.endOffsets(topic)])
  return new Map(
    [...ends].flatMap(([partition, end]): [number, Span][] => {
      const start = committed.get(topic)?.get(partition) ?? 0n
      return end > start ? [[partition, { start, end }]] : []
    }),
  )
}
