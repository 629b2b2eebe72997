/** The events behind a result, found in the topic of its pipeline page by page, and told while they are found: no more than a page is held. */
import { MillraceError } from '@millrace/core/errors'
import { type ExplainedResult, isEventOf } from '@millrace/core/explain'
import type { PipelineDefinition } from '@millrace/core/pipeline-definition'
import type { Reader, StoredRecord } from '@millrace/kafka/reader'
import type { EventItem, ItemsOf } from './event-item.ts'
import { createPace, type Pace } from './pace.ts'
import { problem, ProblemError } from './problem.ts'
import type { Turns } from './turns.ts'

export type Reading = {
  readonly reader: Pick<Reader, 'readPage'>
  readonly itemsOf: ItemsOf
  /** Each page waits its turn. */
  readonly turns: Turns
  /** Aborted when this instance stops: then no further page is read. */
  readonly stopping: AbortSignal
}

export type Explained = { readonly definition: PipelineDefinition; readonly result: ExplainedResult }

/** What a page has of the events. Where some of it is gone, they are not whole. */
export type Found = { readonly items: readonly EventItem[]; readonly isWhole: boolean }

const pageEventsMax = 500

/**
 * By partition and offset.
 * @throws ProblemError 503 · MillraceError when Kafka cannot be read
 */
export async function* eventsBehind(
  { reader, itemsOf, turns, stopping }: Reading,
  explained: Explained,
): AsyncGenerator<Found, undefined> {
  const { topic } = explained.definition.from
  const pace = createPace()
  for (const [partition, [first, last]] of rangesOf(explained.result)) {
    const end = BigInt(last) + 1n
    for (let at = BigInt(first); at < end;) {
      if (stopping.aborted) throw new ProblemError(problem(503, 'this instance is stopping: send it again'))
      const from = new Map([[partition, at]])
      const page = await turns.take(() => reader.readPage(topic, from, pageEventsMax, new Map([[partition, end]])))
      // Retention has taken what was asked for, or the topic was made anew.
      const next = page.found === 'nothing' ? end : (page.next.get(partition) ?? at)
      if (next <= at) throw new MillraceError('kafka.unavailable', `${topic} is not read on now: try again in a moment`)
      at = next
      if (page.found !== 'records') yield { items: [], isWhole: false }
      else yield { items: await itemsOf(await among(page.records, explained, pace)), isWhole: true }
    }
  }
}

/** Where the events of a result are: by partition, the first and the last offset. */
export function rangesOf({ provenance }: ExplainedResult) {
  return [...provenance.offsets].toSorted(([one], [other]) => one - other)
}

async function among(
  records: readonly StoredRecord[],
  { definition, result }: Explained,
  pace: Pace,
): Promise<StoredRecord[]> {
  const found: StoredRecord[] = []
  for (const record of records) {
    if (pace.isOver()) await pace.rest()
    if (isEventOf(definition, result, { ...record, offset: Number(record.offset) })) found.push(record)
  }
  return found
}

/**
 * The answer as text: its head, the events, how many there are and whether these are all. What cannot be read once it has begun ends it, and
 * then it says that they are not.
 * @param counted how many the result was computed over
 */
export async function* explanationText(
  head: object,
  counted: number,
  first: IteratorResult<Found, undefined>,
  others: AsyncIterator<Found, undefined>,
  onTrouble: (error: unknown) => void,
): AsyncGenerator<string> {
  yield `${JSON.stringify(head).slice(0, -1)},"events":[`
  let found = 0
  let isWhole = true
  try {
    for (let next = first; !next.done; next = await others.next()) {
      isWhole &&= next.value.isWhole
      for (const item of next.value.items) {
        yield `${found === 0 ? '' : ','}${JSON.stringify(item)}`
        found += 1
      }
      // Means nothing in JSON, but that there is somebody who goes on.
      yield '\n'
    }
  } catch (error) {
    isWhole = false
    onTrouble(error)
  }
  yield `],"found":${found},"complete":${isWhole && found === counted}}`
}
