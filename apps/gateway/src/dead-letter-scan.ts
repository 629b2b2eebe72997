import type { Offsets } from '@millrace/kafka/admin'
import type { Reader, StoredRecord } from '@millrace/kafka/reader'
import { pageFrom } from './read-routes.ts'
import type { From } from './read-position.ts'

export type Scanned = {
  /** Behind the last record that was looked at. */
  readonly next: Offsets
  /** There was no more. */
  readonly atEnd: boolean
}

export type ScanBounds = {
  readonly recordsMax: number
  readonly timeMsMax: number
  /** Where to stop, by partition. */
  readonly upTo?: Offsets
}

const pageRecords = 200

/**
 * Looks at the records of a topic, oldest first, until `visit` says that it has seen enough, there is no more, or a bound is reached; at one
 * record at least, so that whoever goes on from `next` gets to the end.
 * @throws ProblemError 410 behind retention, 400 for a place that the topic never had
 */
export async function scan(
  reader: Reader,
  topic: string,
  from: Exclude<From, 'latest'>,
  visit: (record: StoredRecord) => 'more' | 'enough' | Promise<'more' | 'enough'>,
  { recordsMax, timeMsMax, upTo }: ScanBounds,
): Promise<Scanned> {
  const deadline = performance.now() + timeMsMax
  let looked = 0
  for (let start = from; ;) {
    const page = await pageFrom(reader, topic, start, pageRecords, upTo)
    for (const [index, record] of page.records.entries()) {
      const answer = await visit(record)
      looked += 1
      if (answer === 'more' && looked < recordsMax && performance.now() < deadline) continue
      const left = page.records.slice(index + 1)
      return { next: positionBefore(left, page.next), atEnd: page.atEnd && left.length === 0 }
    }
    if (page.atEnd || page.records.length === 0) return { next: page.next, atEnd: page.atEnd }
    start = { cursor: page.next }
  }
}

function positionBefore(left: readonly StoredRecord[], next: Offsets): Offsets {
  const position = new Map(next)
  // The first of a partition is the last to be set.
  for (const { partition, offset } of left.toReversed()) position.set(partition, offset)
  return position
}
