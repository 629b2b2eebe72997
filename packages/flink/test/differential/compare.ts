import { evaluatePipeline, type WindowResult } from '@millrace/core/evaluate'
import type { RowValue } from '@millrace/core/event-row'
import type { Field } from '@millrace/core/field'
import type { Pipeline } from '@millrace/core/pipeline'
import type { FlinkRow, FlinkRun } from './flink-runs.ts'
import type { Case } from './generate.ts'

/** What a pipeline made of a stream: the outcome of each record, and the results, each as text, in no order. */
export type Made = { readonly outcomes: readonly string[]; readonly results: readonly string[] }

export function madeInMemory({ pipeline, partitions, input }: Case): Made {
  const { outcomes, results, open } = evaluatePipeline(pipeline, partitions, input)
  // In Flink the stream ends, and with it all windows.
  return { outcomes, results: [...results, ...open].map((result) => published(pipeline, result)).sort() }
}

export function madeInFlink({ pipeline, input }: Case, { outcomes, results }: FlinkRun): Made {
  return {
    outcomes: input.flatMap((_, offset) => outcomes.get(offset) ?? []),
    results: results.map((row) => written(pipeline, row)).sort(),
  }
}

function published({ result }: Pipeline, { windowStartMs, windowEndMs, groups, aggregates }: WindowResult): string {
  const values = new Map<string, RowValue>([
    ...groups,
    ['windowStart', windowStartMs],
    ['windowEnd', windowEndMs],
    ...aggregates,
  ])
  return textOf(Object.keys(result.fields).map((name) => values.get(name) ?? null))
}

function written({ result }: Pipeline, row: FlinkRow): string {
  return textOf(Object.values(result.fields).map((field, index) => valueOf(field, row[index] ?? null)))
}

function valueOf({ type }: Field, value: FlinkRow[number]): RowValue {
  if (type === 'number' && value !== null) return Number(value)
  return type === 'integer' && value !== null ? BigInt(value) : value
}

function textOf(values: readonly RowValue[]): string {
  const texts = values.map((value) =>
    Object.is(value, -0) ? '-0' : typeof value === 'string' ? JSON.stringify(value) : String(value),
  )
  return texts.join(' ')
}
