/**
 * Asks brokers what they know of the cluster. The client library throws an answer away where one topic is gone or one partition has no
 * leader, and asks its first broker for as long as that takes connections (2.12.1).
 */
import type { MillraceError } from '@millrace/core/errors'
import { type Connection, metadataV12, ResponseError } from '@platformatic/kafka'
import { brokerConnections } from './broker-connections.ts'
import { kafkaError } from './errors.ts'
import type { PartitionLeader } from './leaders.ts'
import { protocolError } from './produce-verdict.ts'

export type ClusterState = {
  /** `host:port` by the broker's number. */
  readonly brokers: ReadonlyMap<number, string>
  /** Of the topics that were asked for: who leads their partitions, or why that cannot be told. */
  readonly topics: ReadonlyMap<string, readonly PartitionLeader[] | MillraceError>
}

/** Rejects when no broker answers, with what the last one said or did. */
export type AskForState = (topics: readonly string[]) => Promise<ClusterState>

/** @param bootstrapServers `host:port` of some brokers; the others are known from their answers */
export function createMetadata(
  bootstrapServers: readonly string[],
  connect: (address: string) => Promise<Connection>,
): AskForState {
  const connections = brokerConnections(connect)
  /** Who has not answered is asked last the next time. */
  let addresses = [...bootstrapServers]

  const askOne = async (address: string, topics: readonly string[]): Promise<ClusterState> => {
    const connection = await connections.to(address)
    try {
      return stateIn(await metadataV12.api.async(connection, [...topics], false, false).catch(answerIn))
    } catch (error) {
      connections.drop(connection)
      throw error
    }
  }
  return async (topics) => {
    let failure: unknown
    for (const address of [...addresses]) {
      try {
        const state = await askOne(address, topics)
        const current = new Set([...bootstrapServers, ...state.brokers.values()])
        addresses = [...new Set([...addresses, ...current])].filter((known) => current.has(known))
        return state
      } catch (error) {
        failure = error
        addresses = [...addresses.filter((other) => other !== address), address]
      }
    }
    throw failure
  }
}

type Answer = Awaited<ReturnType<typeof metadataV12.api.async>>

/** What is wrong with single topics and partitions is in the answer. */
function answerIn(error: unknown): Answer {
  const response: unknown = error instanceof ResponseError ? Reflect.get(error, 'response') : undefined
  if (isAnswer(response)) return response
  throw error
}

function isAnswer(value: unknown): value is Answer {
  return typeof value === 'object' && value !== null && 'topics' in value && Array.isArray(value.topics)
}

function stateIn({ brokers, topics }: Answer): ClusterState {
  return {
    brokers: new Map(brokers.map(({ nodeId, host, port }) => [nodeId, `${host}:${port}`])),
    topics: new Map(topics.map((topic) => [topic.name ?? '', leadersIn(topic)])),
  }
}

function leadersIn({ name, errorCode, partitions }: Answer['topics'][number]): PartitionLeader[] | MillraceError {
  if (errorCode !== 0) return kafkaError(protocolError(errorCode), `asking for the partitions of ${name}`)
  const leaders: PartitionLeader[] = []
  for (const { partitionIndex, leaderId: broker, leaderEpoch: epoch } of partitions) {
    leaders[partitionIndex] = { broker, epoch }
  }
  return leaders
}
