import type { Provenance, WindowResult } from './evaluate-windows.ts'
import type { RowValue } from './event-row.ts'
import type { Fields, FieldType } from './field.ts'
import type { RecordHeaders } from './kafka-binding.ts'
import type { Pipeline } from './pipeline.ts'
import { provenanceHeaders } from './provenance.ts'

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

/** A result of the evaluator as the data of the event that Flink publishes. */
export function publishedResult<R extends Fields>(pipeline: Pipeline<R>, result: WindowResult): PublishedResult<R>
export function publishedResult(
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
  // Flink writes as many digits of a fraction of a second as there are.
  if (type === 'timestamp') return new Date(Number(value)).toISOString().replace(/\.?0*Z$/, 'Z')
  if (typeof value !== 'bigint') return value
  return Number.isSafeInteger(Number(value)) ? Number(value) : value
}

/**
 * The headers that say how a result came about.
 * @public
 */
export function publishedProvenance({ revision, events, late, filtered, offsets }: Provenance): Map<string, string> {
  const ranges = [...offsets].toSorted(([one], [other]) => one - other)
  return new Map([
    [provenanceHeaders.revision, String(revision)],
    [provenanceHeaders.counted, String(events)],
    [provenanceHeaders.late, String(late)],
    ...(filtered === undefined ? [] : [[provenanceHeaders.filtered, String(filtered)] as const]),
    [provenanceHeaders.offsets, ranges.map(([partition, [first, last]]) => `${partition}:${first}-${last}`).join()],
  ])
}

/** What the headers of a result say of how it came about; `undefined` for those of any other record. */
export function provenanceOf(headers: RecordHeaders): Provenance | undefined {
  const number = (name: keyof typeof provenanceHeaders) => wholeNumber(headers.get(provenanceHeaders[name]))
  const [revision, events, late] = [number('revision'), number('counted'), number('late')]
  const offsets = offsetsOf(headers.get(provenanceHeaders.offsets) ?? '')
  if (revision === undefined || events === undefined || late === undefined || !offsets) return undefined
  return { revision, events, late, filtered: number('filtered'), offsets }
}

/** @returns `undefined` where a part is none, or of a partition that had one before */
function offsetsOf(text: string): Provenance['offsets'] | undefined {
  const offsets = new Map<number, readonly [first: number, last: number]>()
  for (const range of text.split(',')) {
    const [partition, first, last] = (/^(\d+):(\d+)-(\d+)$/.exec(range) ?? []).slice(1).map(wholeNumber)
    if (partition === undefined || first === undefined || last === undefined) return undefined
    if (last < first || offsets.has(partition)) return undefined
    offsets.set(partition, [first, last])
  }
  return offsets
}

function wholeNumber(text: string | undefined): number | undefined {
  const number = /^\d+$/.test(text ?? '') ? Number(text) : undefined
  return Number.isSafeInteger(number) ? number : undefined
}
