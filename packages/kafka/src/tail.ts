import type { MillraceError } from '@millrace/core/errors'
import type { Offsets } from './admin.ts'
import type { KafkaConnection } from './connection.ts'
import type { StoredRecord } from './fetch.ts'
import { type FollowStart, type Gap, openFollower } from './follower.ts'

export type TailListener = {
  /** Records in the order of their partition. The tail reads on when the promise is fulfilled: that is its backpressure. */
  readonly onRecords: (records: readonly StoredRecord[]) => void | Promise<void>
  readonly onGap?: (gap: Gap) => void
  /** Told after every fetch, one without records too. */
  readonly onProgress?: (positions: Offsets) => void
  /** The cluster cannot be read at the moment; the tail goes on trying. */
  readonly onTrouble?: (error: MillraceError) => void
}

/** A reader that follows one topic, and reconnects by itself, until it is closed. */
export type Tail = { readonly close: () => Promise<void> }

/**
 * Follows all partitions of a topic, `read_committed`, outside any consumer group.
 * @throws MillraceError 'kafka.unknown-topic' | 'kafka.refused' | 'kafka.unavailable' when the start cannot be found
 */
export async function openTail(
  connection: KafkaConnection,
  topic: string,
  from: FollowStart,
  { onRecords, onGap, onProgress, onTrouble }: TailListener,
): Promise<Tail> {
  const follower = openFollower(connection, {
    onRecords: (_topic, records) => onRecords(records),
    onGap: (_topic, gap) => onGap?.(gap),
    onProgress: (_topic, positions) => onProgress?.(positions),
    ...(onTrouble && { onTrouble }),
  })
  try {
    await follower.follow(topic, from)
  } catch (error) {
    await follower.close()
    throw error
  }
  return { close: follower.close }
}
