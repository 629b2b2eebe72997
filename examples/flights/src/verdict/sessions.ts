import { literal } from '@millrace/ledger/database'
import type { SessionWindow } from '@millrace/core/window'
import type { Semantics } from './semantics.ts'

/** Earlier than every watermark: that of a partition without an event. */
const noWatermarkMs = '-9000000000000000::BIGINT'

/**
 * The sessions of the events that are not late, as rows of `in_windows`. A session ends where no event follows within the gap; and it may end
 * where one does, if event time had passed its end before any of those came: then they begin another, though they are not late, for each is
 * judged by the session that it would be alone in. What an event's own partition had reached is the most that event time can have been;
 * whether it was, the other partitions decide, of whose progress the topic says nothing: there, and only there, a result that ends so is
 * believed. No event is later in time than one of a session that ended before it came, so each time is in one session.
 */
export function sessions({ pipeline }: Semantics, { gapMs }: SessionWindow): string {
  const name = literal(pipeline)
  return `
    INSERT INTO in_windows
    WITH in_time AS (SELECT * FROM placed WHERE pipeline = ${name} AND missed = 0),
    times AS (
      SELECT group_value, event_ms, min(coalesce(partition_watermark_ms, ${noWatermarkMs})) AS watermark_ms
      FROM in_time GROUP BY ALL),
    followed AS (
      SELECT *, lead(event_ms) OVER of_group AS next_ms,
        min(watermark_ms) OVER (of_group RANGE BETWEEN 1 FOLLOWING AND ${gapMs} FOLLOWING) AS followers_watermark_ms
      FROM times WINDOW of_group AS (PARTITION BY group_value ORDER BY event_ms)),
    ended AS (
      SELECT followed.*, coalesce(next_ms - event_ms > ${gapMs}, true)
          OR told.window_end_ms IS NOT NULL AND followers_watermark_ms >= told.window_end_ms - 1 AS is_last
      FROM followed LEFT JOIN (SELECT DISTINCT group_value, window_end_ms FROM results WHERE pipeline = ${name}) AS told
        ON told.group_value = followed.group_value AND told.window_end_ms = event_ms + ${gapMs}),
    numbered AS (
      SELECT *, count(*) FILTER (is_last) OVER (
        PARTITION BY group_value ORDER BY event_ms ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS session
      FROM ended),
    bounds AS (
      SELECT group_value, event_ms, min(event_ms) OVER of_session AS start_ms, max(event_ms) OVER of_session + ${gapMs} AS end_ms
      FROM numbered WINDOW of_session AS (PARTITION BY group_value, session))
    SELECT pipeline, partition, "offset", group_value, partition_watermark_ms, start_ms, end_ms
    FROM in_time JOIN bounds USING (group_value, event_ms)`
}
