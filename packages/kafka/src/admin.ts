import {
  Admin as Client,
  ConfigResourceTypes,
  FetchIsolationLevels,
  IncrementalAlterConfigOperationTypes,
  ListOffsetTimestamps,
} from '@platformatic/kafka'
import { type Acl, everyAcl, fromClient, toClient } from './acl.ts'
import { clientOptions, guarded, type KafkaConnection } from './connection.ts'
import { within } from './deadline.ts'
import { protocolErrors } from './errors.ts'
import { alterScram, deleteScram, scramUsers } from './scram.ts'

export type { Acl } from './acl.ts'

export type Broker = { readonly id: number; readonly host: string; readonly port: number }
export type Topic = {
  readonly partitions: number
  readonly replication: number
  readonly config: Readonly<Record<string, string>>
}
export type NewTopic = {
  readonly name: string
  readonly partitions: number
  readonly replication: number
  readonly config: Readonly<Record<string, string>>
}
/** Offsets by partition. */
export type Offsets = ReadonlyMap<number, bigint>
export type Isolation = 'read-committed' | 'read-uncommitted'
export type Group = { readonly id: string; readonly state: string }

/**
 * What can be asked of a cluster, and changed. Every call ends within its deadline.
 * All throw MillraceError 'kafka.unavailable' | 'kafka.refused' | 'kafka.unknown-topic'.
 */
export type Admin = {
  readonly brokers: () => Promise<Broker[]>
  /** The topics with these names, or all but Kafka's internal ones; those that do not exist are left out. Needs DescribeConfigs. */
  readonly topics: (names?: readonly string[]) => Promise<Map<string, Topic>>
  /** The names of all topics but Kafka's internal ones. Needs Describe alone. */
  readonly topicNames: () => Promise<string[]>
  /** Partition counts of all topics but Kafka's internal ones. Needs Describe alone. */
  readonly partitions: () => Promise<Map<string, number>>
  /** Makes a topic; one that exists already is left as it is. */
  readonly createTopic: (topic: NewTopic) => Promise<void>
  readonly deleteTopics: (names: readonly string[]) => Promise<void>
  /** Grows a topic to `partitions` in total. */
  readonly growPartitions: (topic: string, partitions: number) => Promise<void>
  readonly setTopicConfig: (topic: string, config: Readonly<Record<string, string>>) => Promise<void>
  readonly describeAcls: () => Promise<Acl[]>
  readonly createAcls: (acls: readonly Acl[]) => Promise<void>
  readonly deleteAcls: (acls: readonly Acl[]) => Promise<void>
  /** All groups, those without members too. */
  readonly groups: () => Promise<Group[]>
  /** By topic and partition; partitions without a commit are left out. */
  readonly committedOffsets: (group: string) => Promise<Map<string, Offsets>>
  readonly endOffsets: (topic: string, isolation?: Isolation) => Promise<Offsets>
  readonly startOffsets: (topic: string) => Promise<Offsets>
  /** The end offsets of several topics in one round trip per broker. */
  readonly endOffsetsOf: (topics: readonly string[], isolation?: Isolation) => Promise<Map<string, Offsets>>
  /** The first offset at or after a time, by partition; the end offset where there is none. */
  readonly offsetsForTime: (topic: string, timestampMs: number) => Promise<Offsets>
  readonly deleteGroup: (group: string) => Promise<void>
  /** Makes a SCRAM-SHA-512 user or gives it a new password. */
  readonly alterScramCredential: (username: string, password: string) => Promise<void>
  /** The users that have a SCRAM-SHA-512 password here. */
  readonly scramUsers: () => Promise<string[]>
  /** Takes a user's password away: it can log in no more. */
  readonly deleteScramCredential: (username: string) => Promise<void>
  readonly close: () => Promise<void>
}

const timeouts = { connectTimeoutMs: 5_000, requestTimeoutMs: 10_000 } as const
const deadlineMs = 20_000
const closeDeadlineMs = 3_000

/** Opens an admin client. It connects with its first call. */
export function openAdmin(connection: KafkaConnection): Admin {
  const client = guarded(new Client({ ...clientOptions(connection, timeouts), retries: 2, retryDelay: 250 }))
  const ask = <T>(what: string, request: Promise<T>) => within(deadlineMs, what, request)
  return {
    ...topicCalls(client, ask),
    ...aclCalls(client, ask),
    ...offsetCalls(client, ask),
    brokers: async () => {
      const { brokers } = await ask('asking for the brokers', client.metadata({ topics: [], forceUpdate: true }))
      return [...brokers].map(([id, { host, port }]) => ({ id, host, port }))
    },
    alterScramCredential: (username, password) =>
      ask(`setting the password of ${username}`, alterScram(client, username, password)),
    scramUsers: () => ask('listing the users', scramUsers(client)),
    deleteScramCredential: (username) => ask(`taking the password of ${username} away`, deleteScram(client, username)),
    close: () => within(closeDeadlineMs, 'closing the admin client', client.close()),
  }
}

type Ask = <T>(what: string, request: Promise<T>) => Promise<T>

type TopicCalls = Pick<
  Admin,
  'topics' | 'topicNames' | 'partitions' | 'createTopic' | 'deleteTopics' | 'growPartitions' | 'setTopicConfig'
>

function topicCalls(client: Client, ask: Ask): TopicCalls {
  const existing = async (names?: readonly string[]) => {
    const all = await ask('listing topics', client.listTopics())
    const wanted = names && new Set(names)
    return wanted ? all.filter((name) => wanted.has(name)) : all
  }
  const metadata = async (names: string[]) =>
    (await ask('describing topics', client.metadata({ topics: names, forceUpdate: true }))).topics
  return {
    topics: async (names) => {
      const present = await existing(names)
      if (present.length === 0) return new Map()
      const [partitions, configs] = await Promise.all([
        metadata(present),
        ask('reading topic settings', configsOf(client, present)),
      ])
      return new Map(
        present.map((name) => {
          const topic = partitions.get(name)
          const replication = topic?.partitions[0]?.replicas.length ?? 0
          return [name, { partitions: topic?.partitionsCount ?? 0, replication, config: configs.get(name) ?? {} }]
        }),
      )
    },
    topicNames: () => existing(),
    partitions: async () => {
      const present = await existing()
      if (present.length === 0) return new Map()
      return new Map([...(await metadata(present))].map(([name, topic]) => [name, topic.partitionsCount]))
    },
    createTopic: async ({ name, partitions, replication, config }) => {
      const configs = Object.entries(config).map(([key, value]) => ({ name: key, value }))
      const request = client.createTopics({ topics: [{ topic: name, partitions, replicas: replication }], configs })
      const created = request.then(
        () => undefined,
        (error: unknown) => {
          if (!protocolErrors(error).has('TOPIC_ALREADY_EXISTS')) throw error
        },
      )
      await ask(`creating topic ${name}`, created)
    },
    deleteTopics: (names) => ask(`deleting topics ${names.join(', ')}`, client.deleteTopics({ topics: [...names] })),
    growPartitions: (name, count) =>
      ask(`growing topic ${name}`, client.createPartitions({ topics: [{ name, count, assignments: null }] })),
    setTopicConfig: (topic, config) => ask(`changing settings of topic ${topic}`, setConfig(client, topic, config)),
  }
}

async function configsOf(client: Client, topics: readonly string[]): Promise<Map<string, Record<string, string>>> {
  const described = await client.describeConfigs({
    resources: topics.map((resourceName) => ({ resourceType: ConfigResourceTypes.TOPIC, resourceName })),
  })
  return new Map(
    described.map(({ resourceName, configs }) => [
      resourceName,
      Object.fromEntries(configs.map(({ name, value }) => [name, value ?? ''])),
    ]),
  )
}

function setConfig(client: Client, resourceName: string, config: Readonly<Record<string, string>>): Promise<void> {
  const configs = Object.entries(config).map(([name, value]) => ({
    name,
    value,
    configOperation: IncrementalAlterConfigOperationTypes.SET,
  }))
  return client.incrementalAlterConfigs({
    resources: [{ resourceType: ConfigResourceTypes.TOPIC, resourceName, configs }],
  })
}

function aclCalls(client: Client, ask: Ask): Pick<Admin, 'describeAcls' | 'createAcls' | 'deleteAcls'> {
  return {
    describeAcls: async () => {
      const resources = await ask('listing ACLs', client.describeAcls({ filter: everyAcl }))
      return resources.flatMap(({ acls, ...target }) => acls.flatMap((acl) => fromClient({ ...target, ...acl }) ?? []))
    },
    createAcls: (acls) => ask('creating ACLs', client.createAcls({ creations: acls.map(toClient) })),
    deleteAcls: async (acls) => {
      await ask('deleting ACLs', client.deleteAcls({ filters: acls.map(toClient) }))
    },
  }
}

type OffsetCalls = Pick<
  Admin,
  'groups' | 'committedOffsets' | 'endOffsets' | 'startOffsets' | 'endOffsetsOf' | 'offsetsForTime' | 'deleteGroup'
>

/** Those of both rebalance protocols (KIP-848): workers are in the newer one, which the client leaves out by itself. */
const groupTypes = ['classic', 'consumer']

function offsetCalls(client: Client, ask: Ask): OffsetCalls {
  const offsetsAt = (topics: readonly string[], timestamp: bigint, isolation: Isolation = 'read-committed') =>
    ask(`reading offsets of ${topics.join(', ')}`, listOffsets(client, topics, timestamp, isolation))
  const oneTopic = async (topic: string, timestamp: bigint, isolation?: Isolation) =>
    (await offsetsAt([topic], timestamp, isolation)).get(topic) ?? new Map<number, bigint>()
  return {
    groups: async () => {
      const groups = await ask('listing groups', client.listGroups({ types: groupTypes }))
      return [...groups.values()].map(({ id, state }) => ({ id, state }))
    },
    committedOffsets: (group) => ask(`reading offsets of group ${group}`, committed(client, group)),
    endOffsets: (topic, isolation) => oneTopic(topic, ListOffsetTimestamps.LATEST, isolation),
    startOffsets: (topic) => oneTopic(topic, ListOffsetTimestamps.EARLIEST),
    endOffsetsOf: async (topics, isolation) =>
      topics.length === 0 ? new Map() : offsetsAt(topics, ListOffsetTimestamps.LATEST, isolation),
    offsetsForTime: async (topic, timestampMs) => {
      const [found, ends] = await Promise.all([
        oneTopic(topic, BigInt(timestampMs)),
        oneTopic(topic, ListOffsetTimestamps.LATEST),
      ])
      return new Map([...ends].map(([partition, end]) => [partition, atOr(end, found.get(partition))]))
    },
    deleteGroup: (group) => ask(`deleting group ${group}`, client.deleteGroups({ groups: [group] })),
  }
}

/** Kafka answers −1 where no record is that young. */
function atOr(end: bigint, found: bigint | undefined): bigint {
  return found === undefined || found < 0n ? end : found
}

async function listOffsets(
  client: Client,
  topics: readonly string[],
  timestamp: bigint,
  isolation: Isolation,
): Promise<Map<string, Offsets>> {
  const metadata = await client.metadata({ topics: [...topics] })
  const listed = await client.listOffsets({
    topics: topics.map((name) => ({
      name,
      partitions: Array.from({ length: metadata.topics.get(name)?.partitionsCount ?? 0 }, (_, partitionIndex) => ({
        partitionIndex,
        timestamp,
      })),
    })),
    isolationLevel:
      isolation === 'read-committed' ? FetchIsolationLevels.READ_COMMITTED : FetchIsolationLevels.READ_UNCOMMITTED,
  })
  return new Map(listed.map(({ name, partitions }) => [name, offsetsByPartition(partitions)]))
}

function offsetsByPartition(partitions: readonly { partitionIndex: number; offset: bigint }[]): Offsets {
  return new Map(partitions.map(({ partitionIndex, offset }) => [partitionIndex, offset]))
}

async function committed(client: Client, group: string): Promise<Map<string, Offsets>> {
  const [found] = await client.listConsumerGroupOffsets({ groups: [group] })
  return new Map(
    (found?.topics ?? []).map(({ name, partitions }) => [
      name,
      new Map(
        partitions
          .filter(({ committedOffset }) => committedOffset >= 0n)
          .map(({ partitionIndex, committedOffset }) => [partitionIndex, committedOffset]),
      ),
    ]),
  )
}
