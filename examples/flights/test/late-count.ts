import { firstEndMs } from '../src/verdict/windows.ts'

/** The rule by which events of a tumbling window are late. */
export type LateRule = { readonly windowMs: number; readonly outOfOrdernessMs: number }

/**
 * How many events of a partition a window operator finds late, told by walking through them: no SQL, nothing of the verdict.
 * A window is over when the watermark has reached its last millisecond.
 */
export function lateCount(times: readonly number[], { windowMs, outOfOrdernessMs }: LateRule): number {
  let watermarkMs = -Infinity
  let late = 0
  for (const time of times) {
    const windowStartMs = Math.floor(time / windowMs) * windowMs
    if (watermarkMs >= windowStartMs + windowMs - 1) late++
    watermarkMs = Math.max(watermarkMs, time - outOfOrdernessMs)
  }
  return late
}

/**
 * How many events of one partition are late, in its own order: the number that a pipeline over a one-partition topic must
 * arrive at, whatever its timing. `rows` is a table with `position` and `event_ms`.
 */
export function lateCountSql(rows: string, { windowMs, outOfOrdernessMs }: LateRule): string {
  return `
    SELECT count(*) FROM (
      SELECT ${firstEndMs(windowMs)} AS window_end_ms,
        max(event_ms) OVER (ORDER BY position ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
          - ${outOfOrdernessMs} AS watermark_ms
      FROM ${rows})
    WHERE window_end_ms - 1 <= watermark_ms`
}
