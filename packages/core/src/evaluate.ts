/**
 * What a pipeline makes of its topic, in memory: a pure function with the semantics of the Flink job that the same pipeline becomes. It is
 * what pipelines are tested by, and what Flink is tested against.
 */
import type { AccountOutcome } from './account.ts'
import { earliestTimeMs } from './cloud-event.ts'
import { evaluateExpression } from './evaluate-expression.ts'
import { Windows, type WindowResult } from './evaluate-windows.ts'
import { type EventRow, readRow, tableField } from './event-row.ts'
import type { JoinedTable, Pipeline } from './pipeline.ts'
import { passes, type PipelineRecord, type ReadRecord, readRecord } from './read-record.ts'

/** In the order in which a job would read them: records, and partitions that nothing has come of for the time of the policy. */
export type PipelineInput = PipelineRecord | { readonly idlePartition: number }

/** What the compacted topics that a pipeline joins hold, by topic and by key: values as they are stored. */
export type TableValues = ReadonlyMap<string, ReadonlyMap<string, Uint8Array>>

export type Evaluation = {
  /** Of each record, in their order. */
  readonly outcomes: readonly AccountOutcome[]
  /** Of the windows that have closed, in the order in which they were published, corrected ones among them. */
  readonly results: readonly WindowResult[]
  /** Of the windows that have not. */
  readonly open: readonly WindowResult[]
  /** How far event time has come; `undefined` while a partition has told nothing. */
  readonly watermarkMs: number | undefined
}

/**
 * Evaluates a pipeline over what its topic holds. Integers are `bigint`, times are in milliseconds since 1970.
 * @param partitions how many the topic has: none may be silent before event time advances, unless it is idle
 * @param tables what the tables that it joins held while the events were processed
 * @throws RangeError when an event comes to a comparison of a time with a literal that is none
 * @public
 */
export function evaluatePipeline(
  pipeline: Pipeline,
  partitions: number,
  input: readonly PipelineInput[],
  tables: TableValues = new Map(),
): Evaluation {
  const clock = eventClock(partitions)
  const windows = new Windows(pipeline)
  const outcomes: AccountOutcome[] = []
  for (const next of input) {
    const before = clock.watermarkMs()
    if ('idlePartition' in next) clock.idle(next.idlePartition)
    else {
      const read = joined(pipeline, readRecord(pipeline, next), tables)
      outcomes.push(outcomeOf(pipeline, next, read, clock.watermarkMs(), windows))
      // A record is seen with what came before it, and moves event time for what comes after it, whatever became of it.
      clock.advance(next.partition, (read.timeMs ?? earliestTimeMs) - pipeline.watermark.outOfOrdernessMs)
    }
    if (clock.watermarkMs() > before) windows.advance(clock.watermarkMs())
  }
  const watermarkMs = clock.watermarkMs()
  return {
    outcomes,
    results: windows.published,
    open: windows.open,
    watermarkMs: watermarkMs === -Infinity ? undefined : watermarkMs,
  }
}

/** What is read of a record, with the fields of the newest event of each table that has one for its key. */
function joined({ tables }: Pipeline, read: ReadRecord, held: TableValues): ReadRecord {
  const { row } = read
  return { ...read, row: row && tables.reduce((so, table, index) => joinedRow(so, table, index, held), row) }
}

function joinedRow(row: EventRow, { type, by }: JoinedTable, index: number, held: TableValues): EventRow {
  const key = evaluateExpression(by.expression, row)
  const value = key === null ? undefined : held.get(type.topic)?.get(String(key))
  const latest = value && readRow(value, type.fields)
  if (!latest) return row
  return new Map([...row, ...[...latest].map(([name, field]) => [tableField(name, index), field] as const)])
}

/** What becomes of a record, by the first reason that applies; one that is processed is in its windows then. */
function outcomeOf(
  { where }: Pipeline,
  { partition, offset }: PipelineRecord,
  { isAddressed, row, timeMs }: ReadRecord,
  watermarkMs: number,
  windows: Windows,
): AccountOutcome {
  if (!isAddressed) return 'not-addressed'
  if (row === undefined || timeMs === undefined) return 'dead-lettered'
  const event = { row, timeMs, partition, offset }
  if (!passes(where, row)) {
    windows.leaveOut(event, watermarkMs)
    return 'filtered'
  }
  return windows.add(event, watermarkMs) ? 'processed' : 'late'
}

/**
 * Event time: the least of what the partitions have come to, leaving out those that are idle until they go on; the greatest where all are idle.
 * It never goes back.
 */
function eventClock(partitions: number) {
  const reached = Array.from({ length: partitions }, () => -Infinity)
  const idle = new Set<number>()
  let watermarkMs = -Infinity
  const combine = () => {
    const active = reached.filter((_, partition) => !idle.has(partition))
    watermarkMs = Math.max(watermarkMs, active.length > 0 ? Math.min(...active) : Math.max(...reached))
  }
  return {
    watermarkMs: () => watermarkMs,
    advance: (partition: number, ms: number) => {
      if (ms <= (reached[partition] ?? -Infinity)) return
      reached[partition] = ms
      idle.delete(partition)
      combine()
    },
    idle: (partition: number) => {
      idle.add(partition)
      combine()
    },
  }
}
