/** Up to where a consumer group has done its work. */
import { type Connection, offsetFetchV9, ResponseError } from '@platformatic/kafka'
import { protocolError } from './produce-verdict.ts'

/** Up to where a group has done its work in a partition, and what it noted beside that. */
export type Committed = { readonly offset: bigint; readonly metadata: string }

type Response = ReturnType<typeof offsetFetchV9.parseResponse>

/**
 * Asks the coordinator of a group what it has committed. Partitions without a commit are `undefined`; those in which a transaction with
 * offsets is open are left out.
 * @throws GenericError of the library when the connection or the broker fails
 * @see https://cwiki.apache.org/confluence/display/KAFKA/KIP-447
 */
export async function stableOffsets(
  coordinator: Connection,
  group: string,
  topic: string,
  partitions: readonly number[],
): Promise<ReadonlyMap<number, Committed | undefined>> {
  const asked = [{ groupId: group, memberEpoch: -1, topics: [{ name: topic, partitionIndexes: [...partitions] }] }]
  const { groups } = await offsetFetchV9.api
    .async(coordinator, asked, true)
    .catch((error: unknown) => withUnstable(error))
  const found = groups[0]?.topics[0]?.partitions ?? []
  const stable = found.filter(({ errorCode }) => errorCode === 0)
  return new Map(
    stable.map(({ partitionIndex, committedOffset: offset, metadata }) => {
      return [partitionIndex, offset < 0n ? undefined : { offset, metadata: metadata ?? '' }]
    }),
  )
}

/** The library throws the answer away for one partition's fault, but keeps it in the error. */
function withUnstable(error: unknown): Response {
  const response: unknown = error instanceof ResponseError ? Reflect.get(error, 'response') : undefined
  if (isResponse(response) && response.groups.every(isWithoutFault)) return response
  throw error
}

function isResponse(value: unknown): value is Response {
  return typeof value === 'object' && value !== null && 'groups' in value && Array.isArray(value.groups)
}

function isWithoutFault({ errorCode, topics }: Response['groups'][number]): boolean {
  const codes = topics.flatMap(({ partitions }) => partitions.map((partition) => partition.errorCode))
  return errorCode === 0 && codes.every((code) => code === 0 || protocolError(code)['apiId'] === unstable)
}

const unstable = 'UNSTABLE_OFFSET_COMMIT'
