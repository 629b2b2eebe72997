import type { AccountOutcome } from './account.ts'
import { evaluatePipeline } from './evaluate.ts'
import type { EventType } from './event-type.ts'
import type { Fields } from './field.ts'
import { type JsonObject, valueAt } from './json.ts'
import type { Pipeline } from './pipeline.ts'
import { type PublishedResult, publishedResult } from './published-result.ts'

/** What a pipeline made of events: what it publishes, and those that are in no result. */
export type PipelineTest<R extends Fields> = {
  /** Of all windows, in the order in which they close; those that are open when the events end close then. */
  readonly results: readonly PublishedResult<R>[]
  readonly late: readonly JsonObject[]
  readonly filtered: readonly JsonObject[]
  readonly malformed: readonly JsonObject[]
}

/** Later than any event time: no event is ahead of it. */
const farAheadMs = 8.64e15

export type PipelineTestOptions = {
  /** When the events are stored, in milliseconds since 1970: their times may be ahead of it as far as the pipeline takes. Absent: as far as any. */
  readonly storedMs?: number
  /** The event's time, for event types that do not read it from the data: the CloudEvents `time`, in RFC 3339. */
  readonly time?: (event: JsonObject, index: number) => string
  /** The data of the newest events of the types that the pipeline joins, by the name of the type. */
  readonly tables?: Readonly<Record<string, readonly JsonObject[]>>
}

/**
 * Runs a pipeline in memory over the data of events, in the order in which they are given: for unit tests of pipelines.
 * @throws RangeError when an event comes to a comparison of a time with a literal that is none
 * @public
 */
export function testPipeline<R extends Fields>(
  pipeline: Pipeline<R>,
  events: readonly JsonObject[],
  { time, tables = {}, storedMs = farAheadMs }: PipelineTestOptions = {},
): PipelineTest<R> {
  const utf8 = new TextEncoder()
  const input = events.map((event, index) => ({
    partition: 0,
    offset: index,
    timestampMs: storedMs,
    headers: new Map(time ? [['ce_time', time(event, index)]] : []),
    value: utf8.encode(JSON.stringify(event)),
  }))
  const { outcomes, results, open } = evaluatePipeline(pipeline, 1, input, tableValues(pipeline, tables))
  const having = (outcome: AccountOutcome) => events.filter((_, index) => outcomes[index] === outcome)
  return {
    results: [...results, ...open].map((result) => publishedResult(pipeline, result)),
    late: having('late'),
    filtered: having('filtered'),
    malformed: having('dead-lettered'),
  }
}

function tableValues(
  { name, tables }: Pipeline,
  given: Readonly<Record<string, readonly JsonObject[]>>,
): Map<string, Map<string, Uint8Array>> {
  const unknown = Object.keys(given).find((table) => !tables.some(({ type }) => type.name === table))
  if (unknown !== undefined) throw new RangeError(`pipeline "${name}" does not join "${unknown}"`)
  const utf8 = new TextEncoder()
  return new Map(
    tables.map(({ type }) => {
      const values = (given[type.name] ?? []).map(
        (data) => [keyOf(data, type), utf8.encode(JSON.stringify(data))] as const,
      )
      return [type.topic, new Map(values)]
    }),
  )
}

function keyOf(data: JsonObject, { name, key }: EventType): string {
  const value = key && valueAt(data, key)
  if (typeof value === 'string' || typeof value === 'number') return String(value)
  throw new RangeError(`an event of "${name}" has no key at ${key}: ${JSON.stringify(data)}`)
}
