import { MillraceError } from '@millrace/core/errors'
import { Connection } from '@platformatic/kafka'
import { clientOptions, type KafkaConnection } from './connection.ts'
import { within } from './deadline.ts'
import { createLeaders, type Leaders } from './leaders.ts'
import { createMetadata } from './metadata.ts'

/** What a producer knows of the cluster: answered at once where it was asked before, and kept fresh in the background. */
export type Cluster = Pick<Leaders, 'partitions' | 'leader' | 'learn' | 'anotherLeader' | 'refresh'> & {
  /** @throws MillraceError 'kafka.unknown-topic' | 'kafka.unavailable', at once when no broker takes connections | 'kafka.refused' */
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
  const open = new Set<Connection>()
  let isClosed = false

  const connectTo = async (address: string): Promise<Connection> => {
    if (isClosed) throw new MillraceError('kafka.unavailable', 'the client is closed')
    const made = new Connection(connection.clientId, options)
    open.add(made)
    made.on('close', () => open.delete(made))
    made.on('error', () => open.delete(made)) // requests under way fail by themselves
    const [, host = '', port = ''] = /^\[?(.*?)\]?:(\d+)$/.exec(address) ?? []
    try {
      await made.connect(host, Number(port))
      return made
    } catch (error) {
      open.delete(made)
      throw error
    }
  }
  const metadata = createMetadata(connection.bootstrapServers, connectTo)
  let known: ReadonlyMap<number, string> = new Map()
  const ask = async (topics: readonly string[]) => {
    const what = topics.length === 0 ? 'asking for the brokers' : `asking for the partitions of ${topics.join(', ')}`
    const state = await within(deadlineMs, what, metadata(topics))
    known = state.brokers
    return state
  }
  const leaders = createLeaders(async (topics) => (await ask(topics)).topics)
  const connect = async (broker: number): Promise<Connection> => {
    // One that was away is not in what was told meanwhile.
    const address = known.get(broker) ?? (await ask([])).brokers.get(broker)
    if (address === undefined)
      throw new MillraceError('kafka.unavailable', `broker ${broker} is not in the cluster now`)
    return connectTo(address)
  }
  const timer = setInterval(() => void leaders.refresh(), refreshMs).unref()

  return {
    ...leaders,
    askForPartitions: async (topic) => {
      await leaders.askFor(topic)
      return leaders.partitions(topic) ?? 0
    },
    brokers: async () => [...(await ask([])).brokers.keys()],
    connect: (broker) => within(deadlineMs, `connecting to broker ${broker}`, connect(broker)),
    close: async () => {
      isClosed = true
      clearInterval(timer)
      const closing = [...open].map((client) => within(closeDeadlineMs, 'closing a connection', client.close()))
      await Promise.all(closing)
    },
  }
}
