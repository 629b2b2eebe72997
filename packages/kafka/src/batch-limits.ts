import { MillraceError } from '@millrace/core/errors'

export type BatchLimits = {
  readonly batchEventsMax: number
  /** Must stay below the topics' `max.message.bytes`. */
  readonly batchBytesMax: number
}

export const batchLimits: BatchLimits = { batchEventsMax: 1_000, batchBytesMax: 1_000_000 }

/** Sequence numbers of batches begin at 0 again after this one. */
export const sequenceMax = 0x7fffffff

/** Why a record of so many bytes goes into no batch, or `undefined` where it does. */
export function tooLarge(bytes: number, { batchBytesMax }: BatchLimits): MillraceError | undefined {
  if (bytes <= batchBytesMax) return undefined
  return new MillraceError('kafka.too-large', `a record of ${bytes} bytes is larger than ${batchBytesMax}`)
}

/** How many of the first records go together in a batch; one does in any case. */
export function fittingIn<T>(records: readonly T[], bytesOf: (record: T) => number, limits: BatchLimits): number {
  let bytes = 0
  const end = records.findIndex((record, index) => {
    bytes += bytesOf(record)
    return index === limits.batchEventsMax || (index > 0 && bytes > limits.batchBytesMax)
  })
  return end === -1 ? records.length : end
}
