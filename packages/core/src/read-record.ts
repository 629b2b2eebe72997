/** What a pipeline sees in a record before it knows of any other: for all that decide what becomes of it. */
import { timeOf } from './cloud-event.ts'
import { evaluateExpression } from './evaluate-expression.ts'
import { type EventRow, readRow } from './event-row.ts'
import type { Expression } from './expression.ts'
import { pointerTokens } from './json.ts'
import type { RecordHeaders } from './kafka-binding.ts'
import { pipelineReader } from './pipeline.ts'
import type { PipelineDefinition } from './pipeline-definition.ts'
import { replayForHeader } from './replay.ts'

/** A record of the pipeline's topic. */
export type PipelineRecord = {
  readonly partition: number
  readonly offset: number
  /** When it was stored, in milliseconds since 1970. */
  readonly timestampMs: number
  readonly headers: RecordHeaders
  readonly value: Uint8Array | null
}

/** A record as a pipeline judges it by itself. */
export type ReadRecord = {
  readonly isAddressed: boolean
  readonly row: EventRow | undefined
  /** Absent for what has none, or one that is too far ahead. */
  readonly timeMs: number | undefined
}

export function readRecord(
  { name, from, watermark }: PipelineDefinition,
  { headers, value, timestampMs }: PipelineRecord,
): ReadRecord {
  const latestMs = timestampMs + (watermark.futureBoundMs ?? Infinity)
  const addressee = headers.get(replayForHeader)
  const row = readRow(value, from.fields)
  const [field] = from.time === undefined ? [] : pointerTokens(from.time)
  const time = field === undefined ? timeOf(headers.get('ce_time') ?? '') : row?.get(field)
  return {
    isAddressed: addressee === undefined || addressee === pipelineReader(name),
    row,
    timeMs: typeof time === 'number' && time <= latestMs ? time : undefined,
  }
}

/** Whether the filter lets an event through: what is unknown it does not. */
export function passes(where: Expression | undefined, row: EventRow): boolean {
  return where === undefined || evaluateExpression(where, row) === true
}
