import { type Pipeline, pipelineReader } from '@millrace/core/pipeline'
import type { Database } from '@millrace/ledger/database'

/** What the checks have to know of the pipeline. */
export type Semantics = {
  /** As whom the pipeline accounts for events. */
  readonly reader: string
  readonly eventTopic: string
  readonly partitions: number
  readonly windowMs: number
  readonly outOfOrdernessMs: number
}

/** @throws RangeError for windows of other kinds, which the verdict does not recompute */
export function windowSizeMs({ name, window }: Pipeline): number {
  if (window.kind === 'tumbling') return window.sizeMs
  throw new RangeError(`the verdict recomputes tumbling windows, and those of ${name} are ${window.kind}`)
}

export function semanticsOf(pipeline: Pipeline): Semantics {
  return {
    reader: pipelineReader(pipeline.name),
    eventTopic: pipeline.from.topic,
    partitions: pipeline.from.partitions,
    windowMs: windowSizeMs(pipeline),
    outOfOrdernessMs: pipeline.watermark.outOfOrdernessMs,
  }
}

/**
 * Derives from the topic alone what a right pipeline must have done:
 * - `events`: the well-formed events with their window, and the watermark that their own partition had reached before them;
 * - `watermark`: the watermark that the topic's content proves, the least over all partitions (a partition without an
 *   event holds it back for ever, as in Flink without idleness);
 * - `expected`: the results of the windows that it closes, over what was not late.
 *
 * A window `[start, end)` is closed by a watermark of `end - 1` ms: its greatest possible event time (Flink's rule).
 */
export async function deriveExpectations(database: Database, semantics: Semantics): Promise<void> {
  const { partitions, windowMs, outOfOrdernessMs } = semantics
  await database.run(`
    CREATE TABLE events AS
    SELECT partition, "offset", origin, distance, delay, event_ms,
      ${windowEndMs(windowMs)} AS window_end_ms,
      max(event_ms) OVER (PARTITION BY partition ORDER BY "offset" ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
        - ${outOfOrdernessMs} AS partition_watermark_ms
    FROM topic WHERE well_formed`)
  await database.run(`
    CREATE TABLE watermark AS
    SELECT CASE WHEN count(*) = ${partitions} THEN min(greatest_ms) - ${outOfOrdernessMs} END AS ms
    FROM (SELECT max(event_ms) AS greatest_ms FROM events GROUP BY partition)`)
  await database.run(`
    CREATE VIEW in_time AS
    SELECT * FROM events ANTI JOIN late
      ON late.origin_partition = events.partition AND late.origin_offset = events."offset"`)
  await database.run(`
    CREATE TABLE expected AS
    SELECT origin, window_end_ms - ${windowMs} AS window_start_ms, window_end_ms,
      count(*) AS flights, sum(distance) AS distance, avg(delay) AS mean_delay
    FROM in_time WHERE window_end_ms - 1 <= (SELECT ms FROM watermark)
    GROUP BY ALL`)
}

/** The end of an event's window, in SQL over its `event_ms`. DuckDB's remainder has the sign of the time; windows before 1970 must not be shorter for it. */
export function windowEndMs(windowMs: number): string {
  return `event_ms - (event_ms % ${windowMs} + ${windowMs}) % ${windowMs} + ${windowMs}`
}
