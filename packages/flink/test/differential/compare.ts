import { evaluatePipeline } from '@millrace/core/evaluate'
import { valueText } from '@millrace/core/evaluate-aggregate'
import type { WindowResult } from '@millrace/core/evaluate-windows'
import type { RowValue } from '@millrace/core/event-row'
import type { Field } from '@millrace/core/field'
import type { Pipeline } from '@millrace/core/pipeline'
import { provenanceHeaders } from '@millrace/core/provenance'
import { publishedProvenance } from '@millrace/core/published-result'
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
    outcomes: input.flatMap((next) => ('offset' in next ? (outcomes.get(next.offset) ?? []) : [])),
    results: results.map((row) => written(pipeline, row)).sort(),
  }
}

function published(
  { result }: Pipeline,
  { windowStartMs, windowEndMs, groups, aggregates, provenance }: WindowResult,
): string {
  const values = new Map<string, RowValue>([
    ...groups,
    ['windowStart', windowStartMs],
    ['windowEnd', windowEndMs],
    ...aggregates,
  ])
  const headers = publishedProvenance(provenance)
  return textOf([
    ...Object.keys(result.fields).map((name) => values.get(name) ?? null),
    ...headerNames.map((name) => headers.get(name) ?? null),
  ])
}

const headerNames = Object.values(provenanceHeaders)

function written({ result }: Pipeline, row: FlinkRow): string {
  const fields = Object.values(result.fields)
  const values = fields.map((field, index) => valueOf(field, row[index] ?? null))
  const headers = row[fields.length]
  if (typeof headers !== 'object' || headers === null) throw new TypeError('a result has no headers')
  return textOf([...values, ...headerNames.map((name) => headers[name] ?? null)])
}

function valueOf({ type }: Field, value: FlinkRow[number]): RowValue {
  if (typeof value === 'object' && value !== null) throw new TypeError('headers are no field')
  if (type === 'number' && value !== null) return Number(value)
  return type === 'integer' && value !== null ? BigInt(value) : value
}

function textOf(values: readonly RowValue[]): string {
  return values.map(valueText).join(' ')
}
