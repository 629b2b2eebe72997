import { type Account, type AccountCount, type AccountOutcome, accountsTopic, minuteOf } from '@millrace/core/account'
import type { OutgoingRecord } from '@millrace/kafka/producer'
import type { Done, Task } from './attempts.ts'
import type { Committable } from './progress.ts'

const outcomes: Readonly<Record<Done, AccountOutcome>> = {
  ok: 'processed',
  drop: 'filtered',
  'dead-letter': 'dead-lettered',
  'not-addressed': 'not-addressed',
}

/** What is done with a partition, and what is committed of it with that. */
export type PartitionDone = {
  readonly partition: number
  readonly committed: Committable
  /** One at least. */
  readonly results: readonly { readonly task: Pick<Task, 'record'>; readonly kind: Done }[]
}

/** The accounts of a handler, to be stored in the transaction that commits what they are of. */
export function accountRecords(reader: string, topic: string, partitions: readonly PartitionDone[]): OutgoingRecord[] {
  return partitions.map(({ partition, committed, results }) => {
    const account: Account = {
      ...{ reader, topic, partition },
      from: Math.min(...results.map(({ task }) => Number(task.record.offset))),
      through: Number(committed.offset),
      beyond: committed.beyond,
      counts: countsOf(results),
    }
    return {
      topic: accountsTopic,
      key: Buffer.from(reader),
      value: Buffer.from(JSON.stringify(account)),
      headers: new Map(),
      timestampMs: Date.now(),
    }
  })
}

function countsOf(results: PartitionDone['results']): AccountCount[] {
  const keyed = Map.groupBy(results, ({ task: { record }, kind }) => {
    return `${outcomes[kind]} ${minuteOf(record.headers, record.timestampMs)}`
  })
  return [...keyed.values()].flatMap((alike) => {
    const [first] = alike
    if (!first) return []
    const { headers, timestampMs } = first.task.record
    return { minute: minuteOf(headers, timestampMs), outcome: outcomes[first.kind], events: alike.length }
  })
}
