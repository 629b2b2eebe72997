import { Base } from '@platformatic/kafka'
import { clientOptions, type KafkaConnection } from './connection.ts'
import { within } from './deadline.ts'

/** How many partitions topics have: known at once when asked before, and kept fresh in the background. */
export type TopicPartitions = {
  readonly known: (topic: string) => number | undefined
  /** @throws MillraceError 'kafka.unknown-topic' | 'kafka.unavailable' | 'kafka.refused' */
  readonly fetch: (topic: string) => Promise<number>
  readonly refresh: () => Promise<void>
  readonly close: () => Promise<void>
}

const timeouts = { connectTimeoutMs: 2_000, requestTimeoutMs: 4_000 } as const
const deadlineMs = 8_000
const closeDeadlineMs = 2_000

export function openTopicPartitions(connection: KafkaConnection): TopicPartitions {
  const client = new Base({ ...clientOptions(connection, timeouts), retries: 3, retryDelay: 200, metadataMaxAge: 0 })
  const counts = new Map<string, number>()
  const asking = new Map<string, Promise<number>>()

  const ask = async (topic: string): Promise<number> => {
    const request = client.metadata({ topics: [topic] })
    const { topics } = await within(deadlineMs, `asking for the partitions of ${topic}`, request)
    const count = topics.get(topic)?.partitionsCount ?? 0
    counts.set(topic, count)
    return count
  }
  const fetch = (topic: string): Promise<number> => {
    const current = asking.get(topic)
    if (current) return current
    const request = ask(topic).finally(() => asking.delete(topic))
    asking.set(topic, request)
    return request
  }
  return {
    known: (topic) => counts.get(topic),
    fetch,
    refresh: async () => {
      for (const topic of counts.keys()) {
        // A topic that cannot be asked for keeps its count: a send to it says what is wrong.
        await fetch(topic).catch(() => undefined)
      }
    },
    close: () => within(closeDeadlineMs, 'closing the metadata client', client.close()),
  }
}
