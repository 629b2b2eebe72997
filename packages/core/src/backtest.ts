/** A pipeline over what its topic holds, compared with what was published: what a change of it would change. */
import { type Evaluation, evaluatePipeline, type PipelineInput, type TableValues } from './evaluate.ts'
import type { WindowResult } from './evaluate-windows.ts'
import { isJsonObject, type JsonValue } from './json.ts'
import type { Pipeline } from './pipeline.ts'
import { publishedResult } from './published-result.ts'
import type { PipelineRecord } from './read-record.ts'

/** The records of a topic from some offsets on, by partition, each in its order. */
export type TopicPart = {
  readonly partitions: ReadonlyMap<number, readonly PipelineRecord[]>
  /** Whether nothing was stored before them: else windows that may hold what came before are not judged. */
  readonly isWhole: boolean
}

export type Backtest = {
  readonly evaluation: Evaluation
  /** The last result of each window that has closed and holds nothing from before the part, in the order of time. */
  readonly results: readonly WindowResult[]
  /** Windows that begin before it, in milliseconds since 1970, may hold what came before the part. */
  readonly fromMs: number
}

/** A value of a result as it is published, or `undefined` where it has none. */
type Value = string | number | bigint | boolean | null | undefined

/** What a window and group would have instead of what it has. */
export type Difference = {
  readonly windowStart: string
  readonly windowEnd: string
  readonly group: Readonly<Record<string, Value>>
  readonly kind: 'changed' | 'only-live' | 'only-backtest'
  /** By field; of what is on one side only, all of them. */
  readonly fields: Readonly<Record<string, { readonly live: Value; readonly backtest: Value }>>
}

/** So many records of a partition are taken to know how far event time had come where the part begins. */
const begunRecords = 100
/** Sums of doubles differ by the order of additions. */
const relativeTolerance = 1e-9

/**
 * Evaluates a pipeline over a part of its topic. Records of different partitions come in the order in which they were stored, which is not always that
 * in which a job read them: where events are late at all, which ones are late may differ.
 */
export function backtest(pipeline: Pipeline, part: TopicPart, tables: TableValues = new Map()): Backtest {
  const silent = [...part.partitions].filter(([, records]) => records.length === 0)
  const input: PipelineInput[] = [
    ...silent.map(([idlePartition]) => ({ idlePartition })),
    ...inOrderStored([...part.partitions.values()]),
  ]
  const evaluation = evaluatePipeline(pipeline, part.partitions.size, input, tables)
  const fromMs = part.isWhole ? -Infinity : begunMs(pipeline, part, tables)
  const last = new Map<string, WindowResult>()
  for (const result of evaluation.results) {
    if (result.windowStartMs >= fromMs) last.set(keyOf(pipeline, publishedFields(pipeline, result)), result)
  }
  const results = [...last.values()].sort((one, other) => one.windowEndMs - other.windowEndMs)
  return { evaluation, results, fromMs }
}

/** Partitions merged by when their next record was stored, each in its own order. */
function inOrderStored(partitions: readonly (readonly PipelineRecord[])[]): PipelineRecord[] {
  const left = partitions.map((records) => ({ records, next: 0 }))
  const merged: PipelineRecord[] = []
  for (;;) {
    const heads = left.flatMap((part) => {
      const record = part.records[part.next]
      return record === undefined ? [] : [{ part, record }]
    })
    const first = heads.reduce<(typeof heads)[number] | undefined>(
      (oldest, head) => (oldest && oldest.record.timestampMs <= head.record.timestampMs ? oldest : head),
      undefined,
    )
    if (!first) return merged
    merged.push(first.record)
    first.part.next += 1
  }
}

/** How far event time may have come in what is not there. */
function begunMs(pipeline: Pipeline, { partitions }: TopicPart, tables: TableValues): number {
  const begun = [...partitions.values()].flatMap((records) => {
    const first = records.slice(0, begunRecords).map((record) => ({ ...record, partition: 0 }))
    const { watermarkMs } = evaluatePipeline(pipeline, 1, first, tables)
    return watermarkMs === undefined ? [] : [watermarkMs]
  })
  return Math.max(-Infinity, ...begun) + 2 * pipeline.watermark.outOfOrdernessMs + 1
}

export type Comparison = { readonly compared: number; readonly differences: readonly Difference[] }

/**
 * What differs between a backtest and the results that were published. Compared are the windows that both have closed: what lies before the part, and
 * what is newer than the newest of either, is not.
 * @param live the values of the published results, in the order of their revisions
 */
export function comparedWith(
  pipeline: Pipeline,
  { results, evaluation, fromMs }: Backtest,
  live: readonly JsonValue[],
): Comparison {
  const published = new Map<string, Fields>()
  for (const value of live) {
    const fields = isJsonObject(value) ? scalars(value) : {}
    if (timeIn(fields, 'windowStart') >= fromMs) published.set(keyOf(pipeline, fields), fields)
  }
  const newestMs = Math.max(-Infinity, ...[...published.values()].map((fields) => timeIn(fields, 'windowEnd')))
  const untilMs = Math.min(newestMs, (evaluation.watermarkMs ?? -Infinity) + 1)
  const computed = new Map(
    results.map((result) => {
      const fields = publishedFields(pipeline, result)
      return [keyOf(pipeline, fields), fields] as const
    }),
  )
  const keys = [...new Set([...published.keys(), ...computed.keys()])].filter(
    (key) => timeIn(published.get(key) ?? computed.get(key) ?? {}, 'windowEnd') <= untilMs,
  )
  const differences = keys.flatMap((key) => differenceOf(pipeline, published.get(key), computed.get(key)))
  differences.sort((one, other) => (one.windowStart < other.windowStart ? -1 : 1))
  return { compared: keys.length, differences }
}

type Fields = Readonly<Record<string, Value>>

function differenceOf({ groupBy }: Pipeline, live: Fields | undefined, backtested: Fields | undefined): Difference[] {
  const either = live ?? backtested ?? {}
  const groups = Object.keys(groupBy)
  const names = new Set([...Object.keys(live ?? {}), ...Object.keys(backtested ?? {})])
  const fields = [...names].flatMap((name) => {
    const [one, other] = [live?.[name], backtested?.[name]]
    const isOfWindow = name === 'windowStart' || name === 'windowEnd' || groups.includes(name)
    return isOfWindow || isSame(one, other) ? [] : [[name, { live: one, backtest: other }] as const]
  })
  const kind = !live ? 'only-backtest' : !backtested ? 'only-live' : 'changed'
  if (kind === 'changed' && fields.length === 0) return []
  return [
    {
      windowStart: String(either['windowStart']),
      windowEnd: String(either['windowEnd']),
      group: Object.fromEntries(groups.map((name) => [name, either[name]])),
      kind,
      fields: Object.fromEntries(fields),
    },
  ]
}

function isSame(one: Value, other: Value): boolean {
  if (!isNumeric(one) || !isNumeric(other)) return String(one) === String(other)
  const [left, right] = [Number(one), Number(other)]
  return Math.abs(left - right) <= relativeTolerance * Math.max(Math.abs(left), Math.abs(right))
}

function isNumeric(value: Value): value is number | bigint {
  return typeof value === 'number' || typeof value === 'bigint'
}

function keyOf({ groupBy }: Pipeline, fields: Fields): string {
  return JSON.stringify(['windowStart', 'windowEnd', ...Object.keys(groupBy)].map((name) => String(fields[name])))
}

function publishedFields(pipeline: Pipeline, result: WindowResult): Fields {
  return Object.fromEntries(Object.entries(publishedResult(pipeline, result)))
}

function timeIn(fields: Fields, name: string): number {
  return Date.parse(String(fields[name]))
}

function scalars(value: Readonly<Record<string, JsonValue>>): Fields {
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, field]) => (typeof field === 'object' ? [] : [[name, field] as const])),
  )
}
