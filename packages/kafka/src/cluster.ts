import { MillraceError } from '@millrace/core/errors'
import { Base, Connection } from '@platformatic/kafka'
import { clientOptions, guarded, type KafkaConnection } from './connection.ts'
import { within } from './deadline.ts'
import { leaderless } from './fetch.ts'

/** What a producer knows of the cluster: answered at once where it was asked before, and kept fresh in the background. */
export type Cluster = {
  /** How many partitions a topic has; `undefined` until it was asked for. */
  readonly partitions: (topic: string) => number | undefined
  /** @throws MillraceError 'kafka.unknown-topic' | 'kafka.unavailable' | 'kafka.refused' */
  readonly askForPartitions: (topic: string) => Promise<number>
  /** The broker that leads a partition, as far as is known. */
  readonly leader: (topic: string, partition: number) => number | undefined
  /** Asks for all topics again; a topic that cannot be asked for stays as it was. */
  readonly refresh: () => Promise<void>
  /** Who is in the cluster now. */
  readonly brokers: () => Promise<readonly number[]>
  /** A connection to a broker for what is written; others do not wait behind it. */
  readonly connect: (broker: number) => Promise<Connection>
  readonly close: () => Promise<void>
}

const timeouts = { connectTimeoutMs: 2_000, requestTimeoutMs: 4_000 } as const
const deadlineMs = 8_000
const closeDeadlineMs = 2_000
const refreshMs = 10_000

export function openCluster(connection: KafkaConnection): Cluster {
  const options = clientOptions(connection, timeouts)
  const asking = guarded(new Base({ ...options, retries: 3, retryDelay: 200, metadataMaxAge: 0 }))
  const writing = new Set<Connection>()
  /** The leaders of the partitions, by topic. */
  const topics = new Map<string, readonly number[]>()
  const underWay = new Map<string, Promise<void>>()
  let refreshing: Promise<void> | undefined

  const ask = async (names: readonly string[]): Promise<void> => {
    const request = asking.metadata({ topics: [...names], forceUpdate: true })
    const metadata = await within(deadlineMs, `asking for the partitions of ${names.join(', ')}`, request)
    for (const name of names) {
      const leaders: number[] = []
      for (const [partition, { leader }] of (metadata.topics.get(name)?.partitions ?? []).entries()) {
        leaders[partition] = leader
      }
      topics.set(name, leaders)
    }
  }
  const askOnce = (topic: string): Promise<void> => {
    const current = underWay.get(topic)
    if (current) return current
    const request = ask([topic]).finally(() => underWay.delete(topic))
    underWay.set(topic, request)
    return request
  }
  const askForAll = async (): Promise<void> => {
    const names = [...topics.keys()]
    if (names.length === 0) return
    // One that cannot be asked for fails them all, so each for itself.
    await ask(names).catch(() => Promise.allSettled(names.map(askOnce)))
  }
  const refresh = (): Promise<void> => {
    refreshing ??= askForAll().finally(() => (refreshing = undefined))
    return refreshing
  }
  const addresses = async () => (await asking.metadata({ topics: [] })).brokers
  const connect = async (broker: number): Promise<Connection> => {
    const address = (await addresses()).get(broker)
    if (!address) throw new MillraceError('kafka.unavailable', `broker ${broker} is not in the cluster now`)
    const made = new Connection(connection.clientId, options)
    writing.add(made)
    made.on('close', () => writing.delete(made))
    made.on('error', () => writing.delete(made)) // requests under way fail by themselves
    try {
      await made.connect(address.host, address.port)
      return made
    } catch (error) {
      writing.delete(made)
      throw error
    }
  }
  const timer = setInterval(() => void refresh(), refreshMs).unref()

  return {
    partitions: (topic) => topics.get(topic)?.length,
    askForPartitions: async (topic) => {
      await askOnce(topic)
      return topics.get(topic)?.length ?? 0
    },
    leader: (topic, partition) => {
      const leader = topics.get(topic)?.[partition]
      return leader === leaderless ? undefined : leader
    },
    refresh,
    brokers: async () => [...(await within(deadlineMs, 'asking for the brokers', addresses())).keys()],
    connect: (broker) => within(deadlineMs, `connecting to broker ${broker}`, connect(broker)),
    close: async () => {
      clearInterval(timer)
      const closing = [asking, ...writing].map((client) => within(closeDeadlineMs, 'closing a client', client.close()))
      await Promise.all(closing)
    },
  }
}
