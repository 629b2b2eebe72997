/**
 * Which records of a fetched partition are committed. The broker sends all up to the last stable offset, those of aborted
 * transactions too, and beside them a list of the aborted ones: leaving them out is the reader's work.
 *
 * The client library's own filter (consumer.js, #filterUncommittedMessages, 2.12.1) knows only one aborted transaction of a producer
 * in a fetch and lets the records through when the abort's marker is not in the same fetch. So this is Kafka's own rule again.
 * @see org.apache.kafka.clients.consumer.internals.CompletedFetch#nextFetchedRecord
 */
export type Batch = {
  readonly firstOffset: bigint
  readonly lastOffsetDelta: number
  readonly attributes: number
  readonly producerId: bigint
  readonly records: readonly { readonly key: Buffer | null }[]
}

export type AbortedTransaction = { readonly producerId: bigint; readonly firstOffset: bigint }

const transactional = 1 << 4
const control = 1 << 5
const abortMarker = 0

/** The batches that hold committed records, without the markers of transactions. */
export function committedBatches<Fetched extends Batch>(
  batches: readonly Fetched[],
  aborted: readonly AbortedTransaction[],
): Fetched[] {
  const pending = aborted.toSorted((a, b) => Number(a.firstOffset - b.firstOffset))
  const open = new Set<bigint>()
  return batches.filter((batch) => {
    const lastOffset = batch.firstOffset + BigInt(batch.lastOffsetDelta)
    for (let next = pending[0]; next && next.firstOffset <= lastOffset; next = pending[0]) {
      open.add(next.producerId)
      pending.shift()
    }
    if (batch.attributes & control) {
      if (isAbort(batch)) open.delete(batch.producerId)
      return false
    }
    return !(batch.attributes & transactional && open.has(batch.producerId))
  })
}

/** A marker's key is its version and its kind, two bytes each. */
function isAbort({ records }: Batch): boolean {
  const key = records[0]?.key
  return key !== undefined && key !== null && key.length >= 4 && key.readInt16BE(2) === abortMarker
}
