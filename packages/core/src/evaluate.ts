/**
 * What a pipeline makes of its topic, in memory: a pure function with the semantics of the Flink job that the same pipeline becomes. It is
 * what pipelines are tested by, and what Flink is tested against.
 */
import type { AccountOutcome } from './account.ts'
import type { Aggregate } from './aggregate.ts'
import { earliestTimeMs, timeOf } from './cloud-event.ts'
import { evaluateExpression } from './evaluate-expression.ts'
import { type EventRow, readRow, type RowValue } from './event-row.ts'
import type { Expression } from './expression.ts'
import { pointerTokens } from './json.ts'
import type { RecordHeaders } from './kafka-binding.ts'
import { type Pipeline, pipelineReader } from './pipeline.ts'
import { replayForHeader } from './replay.ts'

/** A record of the pipeline's topic. */
export type PipelineRecord = {
  readonly partition: number
  readonly headers: RecordHeaders
  readonly value: Uint8Array | null
}

/** In the order in which a job would read them: records, and partitions that nothing has come of for the time of the policy. */
export type PipelineInput = PipelineRecord | { readonly idlePartition: number }

export type WindowResult = {
  readonly windowStartMs: number
  readonly windowEndMs: number
  /** By the names of the result's fields. */
  readonly groups: EventRow
  readonly aggregates: EventRow
}

export type Evaluation = {
  /** Of each record, in their order. */
  readonly outcomes: readonly AccountOutcome[]
  /** Of the windows that have closed, in the order in which they did. */
  readonly results: readonly WindowResult[]
  /** Of the windows that have not. */
  readonly open: readonly WindowResult[]
  /** How far event time has come; `undefined` while a partition has told nothing. */
  readonly watermarkMs: number | undefined
}

/**
 * Evaluates a pipeline over what its topic holds. Integers are `bigint`, times are in milliseconds since 1970.
 * @param partitions how many the topic has: none may be silent before event time advances, unless it is idle
 * @throws RangeError when an event comes to a comparison of a time with a literal that is none
 * @public
 */
export function evaluatePipeline(pipeline: Pipeline, partitions: number, input: readonly PipelineInput[]): Evaluation {
  const clock = eventClock(partitions)
  const windows = new Windows(pipeline)
  const outcomes: AccountOutcome[] = []
  const results: WindowResult[] = []
  for (const next of input) {
    if ('idlePartition' in next) clock.idle(next.idlePartition)
    else {
      const read = readRecord(pipeline, next)
      outcomes.push(outcomeOf(pipeline, read, clock.watermarkMs(), windows))
      // A record is seen with what came before it, and moves event time for what comes after it, whatever became of it.
      clock.advance(next.partition, (read.timeMs ?? earliestTimeMs) - pipeline.watermark.outOfOrdernessMs)
    }
    results.push(...windows.closedBy(clock.watermarkMs()))
  }
  const watermarkMs = clock.watermarkMs()
  return { outcomes, results, open: windows.open(), watermarkMs: watermarkMs === -Infinity ? undefined : watermarkMs }
}

type ReadRecord = {
  readonly isAddressed: boolean
  readonly row: EventRow | undefined
  readonly timeMs: number | undefined
}

function readRecord({ name, from }: Pipeline, { headers, value }: PipelineRecord): ReadRecord {
  const addressee = headers.get(replayForHeader)
  const row = readRow(value, from.fields)
  const [field] = from.time === undefined ? [] : pointerTokens(from.time)
  const time = field === undefined ? timeOf(headers.get('ce_time') ?? '') : row?.get(field)
  return {
    isAddressed: addressee === undefined || addressee === pipelineReader(name),
    row,
    timeMs: typeof time === 'number' ? time : undefined,
  }
}

/** What becomes of a record, by the first reason that applies; one that is processed is in its window then. */
function outcomeOf(
  { where }: Pipeline,
  { isAddressed, row, timeMs }: ReadRecord,
  watermarkMs: number,
  windows: Windows,
): AccountOutcome {
  if (!isAddressed) return 'not-addressed'
  if (row === undefined || timeMs === undefined) return 'dead-lettered'
  if (where !== undefined && evaluateExpression(where, row) !== true) return 'filtered'
  return windows.add(row, timeMs, watermarkMs) ? 'processed' : 'late'
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

/** The groups of one window, by the text of their values. */
type OpenWindow = { readonly startMs: number; readonly groups: Map<string, Group> }
type Group = { readonly values: EventRow; readonly totals: Map<string, Total> }

/** The windows that have not closed yet. */
class Windows {
  readonly #pipeline: Pipeline
  readonly #sizeMs: number
  readonly #open = new Map<number, OpenWindow>()

  constructor(pipeline: Pipeline) {
    this.#pipeline = pipeline
    this.#sizeMs = pipeline.window.sizeMs
  }

  /** @returns whether the window of the event takes it */
  add(row: EventRow, timeMs: number, watermarkMs: number): boolean {
    const startMs = Math.floor(timeMs / this.#sizeMs) * this.#sizeMs
    if (this.#isClosed(startMs, watermarkMs)) return false
    const window = this.#open.get(startMs) ?? { startMs, groups: new Map<string, Group>() }
    this.#open.set(startMs, window)
    const values = valuesOf(this.#pipeline.groupBy, row)
    const key = [...values.values()].map(groupText).join()
    const group = window.groups.get(key) ?? { values, totals: this.#noTotals() }
    window.groups.set(key, group)
    for (const total of group.totals.values()) total.add(row)
    return true
  }

  /** Takes out those that event time has passed. */
  closedBy(watermarkMs: number): WindowResult[] {
    const closed = this.#sorted().filter(({ startMs }) => this.#isClosed(startMs, watermarkMs))
    for (const { startMs } of closed) this.#open.delete(startMs)
    return closed.flatMap((window) => this.#resultsOf(window))
  }

  open(): WindowResult[] {
    return this.#sorted().flatMap((window) => this.#resultsOf(window))
  }

  /** From when event time has reached the last millisecond of a window. */
  #isClosed(startMs: number, watermarkMs: number): boolean {
    return startMs + this.#sizeMs - 1 <= watermarkMs
  }

  #sorted(): OpenWindow[] {
    return [...this.#open.values()].sort((one, other) => one.startMs - other.startMs)
  }

  #resultsOf({ startMs, groups }: OpenWindow): WindowResult[] {
    return [...groups.values()].map(({ values, totals }) => ({
      windowStartMs: startMs,
      windowEndMs: startMs + this.#sizeMs,
      groups: values,
      aggregates: new Map([...totals].map(([name, total]) => [name, total.value()])),
    }))
  }

  #noTotals(): Map<string, Total> {
    return new Map(Object.entries(this.#pipeline.aggregates).map(([name, aggregate]) => [name, totalOf(aggregate)]))
  }
}

function valuesOf(columns: Pipeline['groupBy'], row: EventRow): EventRow {
  return new Map(Object.entries(columns).map(([name, { expression }]) => [name, evaluateExpression(expression, row)]))
}

/** Different for different values; 0 and -0 are two groups, as their bytes are. */
function groupText(value: RowValue): string {
  return Object.is(value, -0) ? '-0' : typeof value === 'string' ? JSON.stringify(value) : String(value)
}

/** An aggregate under way. Nulls are left out. */
type Total = { readonly add: (row: EventRow) => void; readonly value: () => RowValue }

function totalOf({ kind, of }: Aggregate): Total {
  const values = (row: EventRow) => numberIn(of, row)
  switch (kind) {
    case 'count':
      return counting((row) => of === undefined || evaluateExpression(of, row) !== null)
    case 'sum':
      return folding(values, (sum, value) => added(sum, value))
    case 'average':
      return averaging(values)
    case 'min':
      return folding(values, (least, value) => (value < least ? value : least))
    case 'max':
      return folding(values, (most, value) => (value > most ? value : most))
  }
}

type Numeric = number | bigint

function numberIn(of: Expression | undefined, row: EventRow): Numeric | undefined {
  const value = of && evaluateExpression(of, row)
  return typeof value === 'number' || typeof value === 'bigint' ? value : undefined
}

/** Integers have 64 bits, and wrap. */
function added(sum: Numeric, value: Numeric): Numeric {
  return typeof sum === 'bigint' ? BigInt.asIntN(64, sum + BigInt(value)) : sum + Number(value)
}

function counting(counts: (row: EventRow) => boolean): Total {
  let count = 0n
  return { add: (row) => void (count += counts(row) ? 1n : 0n), value: () => count }
}

function folding(
  valueIn: (row: EventRow) => Numeric | undefined,
  fold: (so: Numeric, value: Numeric) => Numeric,
): Total {
  let folded: Numeric | undefined
  return {
    add: (row) => {
      const value = valueIn(row)
      if (value !== undefined) folded = folded === undefined ? value : fold(folded, value)
    },
    value: () => folded ?? null,
  }
}

function averaging(valueIn: (row: EventRow) => Numeric | undefined): Total {
  let [sum, count] = [0, 0]
  return {
    add: (row) => {
      const value = valueIn(row)
      if (value === undefined) return
      sum += Number(value)
      count += 1
    },
    value: () => (count === 0 ? null : sum / count),
  }
}
