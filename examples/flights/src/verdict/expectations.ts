import { type Database, literal } from '@millrace/ledger/database'
import type { Semantics } from './semantics.ts'
import { sessions } from './sessions.ts'
import { windowsOf } from './windows.ts'

/**
 * Derives from the topics alone what right pipelines must have done:
 * - `events`: the well-formed events with what is joined to them, and the greatest time in their own partition before them;
 * - `watermarks`: the watermark that the topic's content proves for a pipeline, the least over all partitions (a partition without an
 *   event holds it back for ever, as in Flink without idleness);
 * - `placed`: how many windows of a pipeline each event is in, and how many of them it missed, as the topic of its late events says;
 * - `in_windows`: a row for each event and window that it is in;
 * - `expected`: the results of the windows that the watermark closes; of those that are corrected the newest, and in
 *   `expected_revisions` every one.
 *
 * A window `[start, end)` is closed by a watermark of `end - 1` ms: its greatest possible event time (Flink's rule).
 */
export async function deriveExpectations(database: Database, pipelines: readonly Semantics[]): Promise<void> {
  await database.run(events)
  for (const semantics of pipelines) {
    await database.run(watermark(semantics))
    await database.run(placed(semantics))
    await database.run(semantics.window.kind === 'session' ? sessions(semantics, semantics.window) : aligned(semantics))
    await database.run(expected(semantics))
    if (semantics.correctedForMs > 0) await database.run(expectedRevisions(semantics))
  }
}

const events = `
  CREATE TABLE events AS
  SELECT topic.partition, topic."offset", event_ms, origin, destination, state, distance, delay,
    max(event_ms) OVER (
      PARTITION BY topic.partition ORDER BY topic."offset" ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS greatest_before_ms
  FROM topic LEFT JOIN (
    SELECT iata, state FROM airports QUALIFY row_number() OVER (PARTITION BY iata ORDER BY "offset" DESC) = 1) AS newest
    ON newest.iata = topic.origin
  WHERE well_formed`

function watermark({ pipeline, partitions, outOfOrdernessMs }: Semantics): string {
  return `
    INSERT INTO watermarks
    SELECT ${literal(pipeline)}, CASE WHEN count(*) = ${partitions} THEN min(greatest_ms) - ${outOfOrdernessMs} END
    FROM (SELECT max(event_ms) AS greatest_ms FROM events GROUP BY partition)`
}

/** The topic of late events is taken at its word here; whether it is true, and tells of each event once, is for the checks. */
function placed({ pipeline, group, window, outOfOrdernessMs, correctedForMs }: Semantics): string {
  const { count, firstEndMs, everyMs } = windowsOf(window)
  return `
    INSERT INTO placed
    SELECT ${literal(pipeline)}, partition, "offset", ${group}, event_ms, greatest_before_ms - ${outOfOrdernessMs},
      ${count}, coalesce(told.missed, 0), ${firstEndMs} + (told.missed - 1) * ${everyMs} + ${correctedForMs}
    FROM events LEFT JOIN (
      SELECT origin_partition, origin_offset, max(coalesce(missed, ${count})) AS missed
      FROM late WHERE pipeline = ${literal(pipeline)} GROUP BY ALL) AS told
      ON told.origin_partition = events.partition AND told.origin_offset = events."offset"`
}

/** An event is in the last ones of its windows: those that it did not miss. */
function aligned({ pipeline, window }: Semantics): string {
  const { count, sizeMs, everyMs, firstEndMs } = windowsOf(window)
  const endMs = `${firstEndMs} + number * ${everyMs}`
  return `
    INSERT INTO in_windows
    SELECT pipeline, partition, "offset", group_value, partition_watermark_ms, ${endMs} - ${sizeMs}, ${endMs}
    FROM placed, range(${count}) AS windows(number)
    WHERE pipeline = ${literal(pipeline)} AND number >= missed`
}

/** Whether the watermark has closed a window, in SQL over its `window_end_ms`. */
export function isClosed(pipeline: string): string {
  return `coalesce(window_end_ms - 1 <= (SELECT ms FROM watermarks WHERE pipeline = ${literal(pipeline)}), false)`
}

function expected({ pipeline, aggregates }: Semantics): string {
  const computed = Object.entries(aggregates).map(([column, sql]) => `${sql} AS ${column}`)
  return `
    INSERT INTO expected BY NAME
    SELECT ${literal(pipeline)} AS pipeline, group_value, window_start_ms, window_end_ms, ${computed.join(', ')}
    FROM in_windows JOIN events USING (partition, "offset")
    WHERE pipeline = ${literal(pipeline)} AND ${isClosed(pipeline)}
    GROUP BY ALL`
}

/**
 * Once a window has closed each of its events that comes revises it, and nothing opens it again: so a revision is over the events that came first,
 * as many as it counts. Those of a group are in one partition, whose offsets say in which order they came.
 */
function expectedRevisions({ pipeline, aggregates }: Semantics): string {
  const computed = Object.entries(aggregates).map(([column, sql]) => `${sql} OVER came AS ${column}`)
  return `
    INSERT INTO expected_revisions BY NAME
    SELECT ${literal(pipeline)} AS pipeline, group_value, window_start_ms, window_end_ms, partition_watermark_ms,
      count(*) OVER came AS counted, ${computed.join(', ')}
    FROM in_windows JOIN events USING (partition, "offset")
    WHERE pipeline = ${literal(pipeline)} AND ${isClosed(pipeline)}
    WINDOW came AS (PARTITION BY group_value, window_start_ms ORDER BY partition, "offset" ROWS UNBOUNDED PRECEDING)`
}
