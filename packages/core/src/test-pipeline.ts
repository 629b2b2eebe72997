import type { AccountOutcome } from './account.ts'
import { evaluatePipeline, type WindowResult } from './evaluate.ts'
import type { RowValue } from './event-row.ts'
import type { Fields, FieldType } from './field.ts'
import type { JsonObject } from './json.ts'
import type { Pipeline } from './pipeline.ts'

type ValueOf<Type extends FieldType> = Type extends 'integer'
  ? number | bigint
  : Type extends 'number'
    ? number
    : Type extends 'boolean'
      ? boolean
      : string

/** A result as it is published: what is null is left out; an integer that a number cannot hold exactly is a bigint. */
export type PublishedResult<R extends Fields> = {
  readonly [Name in keyof R as R[Name]['nullable'] extends true ? never : Name]: ValueOf<R[Name]['type']>
} & { readonly [Name in keyof R as R[Name]['nullable'] extends true ? Name : never]?: ValueOf<R[Name]['type']> }

/** What a pipeline made of events: what it publishes, and those that are in no result. */
export type PipelineTest<R extends Fields> = {
  /** Of all windows, in the order in which they close; those that are open when the events end close then. */
  readonly results: readonly PublishedResult<R>[]
  readonly late: readonly JsonObject[]
  readonly filtered: readonly JsonObject[]
  readonly malformed: readonly JsonObject[]
}

export type PipelineTestOptions = {
  /** The event's time, for event types that do not read it from the data: the CloudEvents `time`, in RFC 3339. */
  readonly time?: (event: JsonObject, index: number) => string
}

/**
 * Runs a pipeline in memory over the data of events, in the order in which they are given: for unit tests of pipelines.
 * @throws RangeError when an event comes to a comparison of a time with a literal that is none
 * @public
 */
export function testPipeline<R extends Fields>(
  pipeline: Pipeline<R>,
  events: readonly JsonObject[],
  { time }: PipelineTestOptions = {},
): PipelineTest<R> {
  const utf8 = new TextEncoder()
  const input = events.map((event, index) => ({
    partition: 0,
    headers: new Map(time ? [['ce_time', time(event, index)]] : []),
    value: utf8.encode(JSON.stringify(event)),
  }))
  const { outcomes, results, open } = evaluatePipeline(pipeline, 1, input)
  const having = (outcome: AccountOutcome) => events.filter((_, index) => outcomes[index] === outcome)
  return {
    results: [...results, ...open].map((result) => published(pipeline, result)),
    late: having('late'),
    filtered: having('filtered'),
    malformed: having('dead-lettered'),
  }
}

function published<R extends Fields>(pipeline: Pipeline<R>, result: WindowResult): PublishedResult<R>
function published(
  { result: { fields } }: Pipeline,
  result: WindowResult,
): Record<string, string | number | bigint | boolean> {
  const { windowStartMs, windowEndMs, groups, aggregates } = result
  const values = new Map([
    ...groups,
    ['windowStart', windowStartMs] as const,
    ['windowEnd', windowEndMs] as const,
    ...aggregates,
  ])
  return Object.fromEntries(
    Object.entries(fields).flatMap(([name, { type }]) => {
      const value = values.get(name) ?? null
      return value === null ? [] : [[name, publishedValue(value, type)]]
    }),
  )
}

function publishedValue(value: Exclude<RowValue, null>, type: FieldType): string | number | bigint | boolean {
  // Flink writes no fraction of a second where there is none.
  if (type === 'timestamp') return new Date(Number(value)).toISOString().replace('.000Z', 'Z')
  if (typeof value !== 'bigint') return value
  return Number.isSafeInteger(Number(value)) ? Number(value) : value
}
