import { MillraceError } from '@millrace/core/errors'
import { Base, type ClusterTopicMetadata, Connection } from '@platformatic/kafka'
import { clientOptions, guarded, type KafkaConnection } from './connection.ts'
import { within } from './deadline.ts'
import { createLeaders, type Leaders, type TopicState } from './leaders.ts'

/** What a producer knows of the cluster: answered at once where it was asked before, and kept fresh in the background. */
export type Cluster = Pick<Leaders, 'partitions' | 'leader' | 'learn' | 'anotherLeader' | 'refresh'> & {
  /** @throws MillraceError 'kafka.unknown-topic' | 'kafka.unavailable' | 'kafka.refused' */
  readonly askForPartitions: (topic: string) => Promise<number>
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
  const leaders = createLeaders(async (names) => {
    const request = asking.metadata({ topics: [...names], forceUpdate: true })
    const { topics } = await within(deadlineMs, `asking for the partitions of ${names.join(', ')}`, request)
    return new Map(names.map((name) => [name, stateOf(topics.get(name))]))
  })
  const addresses = async (forceUpdate = false) => (await asking.metadata({ topics: [], forceUpdate })).brokers
  const connect = async (broker: number): Promise<Connection> => {
    // One that was away is not in what was told meanwhile.
    const address = (await addresses()).get(broker) ?? (await addresses(true)).get(broker)
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
  const timer = setInterval(() => void leaders.refresh(), refreshMs).unref()

  return {
    ...leaders,
    askForPartitions: async (topic) => {
      await leaders.askFor(topic)
      return leaders.partitions(topic) ?? 0
    },
    brokers: async () => [...(await within(deadlineMs, 'asking for the brokers', addresses())).keys()],
    connect: (broker) => within(deadlineMs, `connecting to broker ${broker}`, connect(broker)),
    close: async () => {
      clearInterval(timer)
      const closing = [asking, ...writing].map((client) => within(closeDeadlineMs, 'closing a client', client.close()))
      await Promise.all(closing)
    },
  }
}

function stateOf(topic: ClusterTopicMetadata | undefined): TopicState {
  const { id = '', partitions = [] } = topic ?? {}
  return { id, leaders: partitions.map(({ leader: broker, leaderEpoch: epoch }) => ({ broker, epoch })) }
}
