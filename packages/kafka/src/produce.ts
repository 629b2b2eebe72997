import {
  type Connection,
  createAPI,
  initProducerIdV5,
  ProduceAcks,
  produceV11,
  ResponseError,
  Writer,
} from '@platformatic/kafka'
import type { PartitionLeader } from './leaders.ts'

/** A batch of one partition, ready to be sent. */
export type PartitionBatch = { readonly topic: string; readonly partition: number; readonly bytes: Buffer }

/** What the leader says of the batch of one partition; `errorCode` 0 means that all in-sync replicas have it. */
export type PartitionAnswer = {
  readonly topic: string
  readonly partition: number
  readonly errorCode: number
  /** What the broker adds to the code. */
  readonly errorMessage: string | undefined
  readonly baseOffset: bigint
  /** Who leads the partition, where it is not who was asked (KIP-951). */
  readonly leader: PartitionLeader | undefined
}

/** Who writes to a partition, to the brokers. */
export type ProducerId = { readonly producerId: bigint; readonly producerEpoch: number }

type Response = ReturnType<typeof produceV11.parseResponse>

type ProduceArguments = [timeoutMs: number, batches: readonly PartitionBatch[], transactionalId: string | null]

/** The library's own request makes its batches and their sequence numbers itself; this one takes them ready-made. */
const produceApi = createAPI<ProduceArguments, Response>(
  produceV11.api.key,
  produceV11.api.version,
  produceRequest,
  produceV11.parseResponse,
)

/**
 * Sends batches to the leader of their partitions and waits for all replicas in sync, `timeoutMs` at most. Those of a transaction name it.
 * @throws GenericError of the library when the connection or the broker fails; then each batch is stored or not
 */
export async function produce(
  connection: Connection,
  timeoutMs: number,
  batches: readonly PartitionBatch[],
  transactionalId: string | null = null,
): Promise<PartitionAnswer[]> {
  const { responses } = await produceApi
    .async(connection, timeoutMs, batches, transactionalId)
    .catch((error: unknown) => answerIn(error))
  return responses.flatMap(({ name: topic, partitionResponses }) =>
    partitionResponses.map(({ index: partition, errorCode, errorMessage, baseOffset, currentLeader }) => ({
      topic,
      partition,
      errorCode,
      errorMessage: errorMessage ?? undefined,
      baseOffset,
      leader: leaderIn(currentLeader),
    })),
  )
}

/** Without one the library says that it has the epoch -1. */
function leaderIn(
  { leaderId: broker, leaderEpoch: epoch } = { leaderId: -1, leaderEpoch: -1 },
): PartitionLeader | undefined {
  return epoch < 0 ? undefined : { broker, epoch }
}

/** The library throws the answer away for one partition's fault, but keeps it in the error. */
function answerIn(error: unknown): Response {
  const response: unknown = error instanceof ResponseError ? Reflect.get(error, 'response') : undefined
  if (isResponse(response)) return response
  throw error
}

function isResponse(value: unknown): value is Response {
  return typeof value === 'object' && value !== null && 'responses' in value && Array.isArray(value.responses)
}

/** @see https://kafka.apache.org/protocol.html#The_Messages_Produce, version 11 */
function produceRequest(...[timeoutMs, batches, transactionalId]: ProduceArguments): Writer {
  return Writer.create()
    .appendString(transactionalId)
    .appendInt16(ProduceAcks.ALL)
    .appendInt32(timeoutMs)
    .appendArray([...Map.groupBy(batches, ({ topic }) => topic)], (writer, [topic, ofTopic]) => {
      writer.appendString(topic).appendArray(ofTopic, (ofPartition, { partition, bytes }) => {
        ofPartition
          .appendInt32(partition)
          .appendUnsignedVarInt(bytes.length + 1)
          .append(bytes)
      })
    })
    .appendTaggedFields()
}

const none = { id: -1n, epoch: -1 } as const
/** Of transactions, which a producer id without a name has none of. */
const transactionTimeoutMs = 60_000

/** Asks for a producer id that nobody else has; any broker gives one. */
export async function newProducerId(connection: Connection): Promise<ProducerId> {
  const { producerId, producerEpoch } = await initProducerIdV5.api.async(
    connection,
    null,
    transactionTimeoutMs,
    none.id,
    none.epoch,
  )
  return { producerId, producerEpoch }
}
