/** Which events made a result: told from the result itself and its pipeline's definition, record by record, by the rules of the evaluator. */
import type { WindowResult } from './evaluate-windows.ts'
import { readRow } from './event-row.ts'
import type { Field } from './field.ts'
import { groupOf, groupText } from './group.ts'
import type { PipelineDefinition } from './pipeline-definition.ts'
import { provenanceOf } from './published-result.ts'
import { passes, type PipelineRecord, readRecord } from './read-record.ts'
import { isInWindow, isWindowOf } from './window.ts'

/** Of a result what says which events made it. */
export type ExplainedResult = Omit<WindowResult, 'aggregates'>

const bound = { type: 'timestamp', nullable: false } as const satisfies Field

/** The result that a record is; `undefined` for what is none of this pipeline as it is defined now. */
export function readResult(
  { window, groupBy }: PipelineDefinition,
  { headers, value }: Pick<PipelineRecord, 'headers' | 'value'>,
): ExplainedResult | undefined {
  const groupFields = Object.entries(groupBy).map(([name, { type }]) => [name, { type, nullable: true }] as const)
  const row = readRow(value, { ...Object.fromEntries(groupFields), windowStart: bound, windowEnd: bound })
  const [startMs, endMs] = [row?.get('windowStart'), row?.get('windowEnd')]
  const provenance = provenanceOf(headers)
  if (!row || !provenance || typeof startMs !== 'number' || typeof endMs !== 'number') return undefined
  if (!isWindowOf(window, { startMs, endMs })) return undefined
  const groups = new Map(Object.keys(groupBy).map((name) => [name, row.get(name) ?? null]))
  return { windowStartMs: startMs, windowEndMs: endMs, groups, provenance }
}

/**
 * Whether a record of the pipeline's topic is among the events of a result. None of those that it says this of came too late: in a partition
 * nothing comes in time behind what was late, so that between two events of a window there is none that was late for it. But in a session there
 * may be, since its end moves on.
 */
export function isEventOf(definition: PipelineDefinition, result: ExplainedResult, record: PipelineRecord): boolean {
  const { partition, offset } = record
  const [first, last] = result.provenance.offsets.get(partition) ?? [Infinity, -Infinity]
  if (offset < first || offset > last) return false
  const { isAddressed, row, timeMs } = readRecord(definition, record)
  if (!isAddressed || row === undefined || timeMs === undefined) return false
  const bounds = { startMs: result.windowStartMs, endMs: result.windowEndMs }
  return (
    isInWindow(definition.window, bounds, timeMs) &&
    passes(definition.where, row) &&
    groupText(groupOf(definition.groupBy, row)) === groupText(result.groups)
  )
}
