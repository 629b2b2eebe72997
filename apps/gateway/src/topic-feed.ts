import type { Offsets } from '@millrace/kafka/admin'
import type { KafkaConnection } from '@millrace/kafka/connection'
import { type FollowStart, type Gap, openFollower } from '@millrace/kafka/follower'
import type { StoredRecord } from '@millrace/kafka/reader'
import type { Logger } from '@millrace/service/logger'

export type TopicListener = {
  /** Records in the order of their partitions. Must not reject; the promise holds up what is read. */
  readonly onRecords: (records: readonly StoredRecord[]) => void | Promise<void>
  readonly onGap?: (gap: Gap) => void
  /** A topic of the same name was made anew. */
  readonly onReset?: (positions: Offsets) => void
}

export type Listening = {
  /** The offset after the last record that was handed over, by partition. */
  readonly positions: () => Offsets
  readonly leave: () => void
}

/** What comes on any topic, read once for the whole instance, however many listen. */
export type TopicFeed = {
  /**
   * Hands over a topic's records to a listener until it leaves. A topic that somebody listens to already goes on from where it is: `from`
   * counts for the first. Whoever needs more reads it; `positions` say up to where.
   * @throws MillraceError 'kafka.unknown-topic' | 'kafka.refused' | 'kafka.unavailable'
   */
  readonly listen: (topic: string, from: FollowStart, listener: TopicListener) => Promise<Listening>
  /** Looks for new partitions at once. */
  readonly refresh: () => void
  readonly close: () => Promise<void>
}

export function openTopicFeed(connection: KafkaConnection, logger: Logger): TopicFeed {
  const listeners = new Map<string, Set<TopicListener>>()
  const follower = openFollower(connection, {
    onRecords: async (topic, records) => {
      const held = [...(listeners.get(topic) ?? [])].map(({ onRecords }) => onRecords(records))
      await Promise.all(held.filter((one) => one instanceof Promise))
    },
    onGap: (topic, gap) => {
      for (const { onGap } of listeners.get(topic) ?? []) onGap?.(gap)
    },
    onReset: (topic, positions) => {
      for (const { onReset } of listeners.get(topic) ?? []) onReset?.(positions)
    },
    onTrouble: (error) => logger.warn({ err: error }, 'live topics cannot be read at the moment'),
  })

  function leave(topic: string, listener: TopicListener): void {
    const others = listeners.get(topic)
    if (!others?.delete(listener) || others.size > 0) return
    listeners.delete(topic)
    follower.unfollow(topic)
  }

  return {
    listen: async (topic, from, listener) => {
      const all = listeners.get(topic) ?? new Set()
      listeners.set(topic, all.add(listener))
      try {
        await follower.follow(topic, from)
      } catch (error) {
        leave(topic, listener)
        throw error
      }
      return { positions: () => follower.positions(topic) ?? new Map(), leave: () => leave(topic, listener) }
    },
    refresh: follower.refresh,
    close: follower.close,
  }
}
