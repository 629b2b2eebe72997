/**
 * How many events of a partition a window operator finds late, told by walking through them: no SQL, nothing of the verdict.
 * A window is over when the watermark has reached its last millisecond.
 */
export function lateCount(
  times: readonly number[],
  { windowMs, outOfOrdernessMs }: { readonly windowMs: number; readonly outOfOrdernessMs: number },
): number {
  let watermarkMs = -Infinity
  let late = 0
  for (const time of times) {
    const windowStartMs = Math.floor(time / windowMs) * windowMs
    if (watermarkMs >= windowStartMs + windowMs - 1) late++
    watermarkMs = Math.max(watermarkMs, time - outOfOrdernessMs)
  }
  return late
}
