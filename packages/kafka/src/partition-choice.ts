import { partitionForKey } from '@millrace/core/partitioner'
import type { OutgoingRecord } from './record.ts'

/** Chooses partitions: a key always has the same one; records without a key stay with one until its batch leaves. */
export type PartitionChoice = {
  readonly choose: (record: OutgoingRecord, partitions: number) => number
  /** A batch of this partition has left: records without a key move on to the next. */
  readonly advance: (topic: string, partition: number) => void
}

export function createPartitionChoice(): PartitionChoice {
  const sticky = new Map<string, number>()
  return {
    choose: ({ topic, key, partition }, partitions) => {
      if (partition !== undefined) return partition
      if (key) return partitionForKey(key, partitions)
      const current = (sticky.get(topic) ?? Math.floor(Math.random() * partitions)) % partitions
      sticky.set(topic, current)
      return current
    },
    advance: (topic, partition) => {
      const current = sticky.get(topic)
      if (current === partition) sticky.set(topic, current + 1)
    },
  }
}
