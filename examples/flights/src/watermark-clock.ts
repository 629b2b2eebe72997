import type { Watermark } from '@millrace/core/pipeline'

import type { Flight } from './flight.ts'

/**
 * When each window's end was passed, seen from the producer: Flink's watermark is the least over the partitions of
 * (greatest event time − out-of-orderness), so window end E is passed by the POST of the event which, as the last of all
 * lanes, brings its lane to an event time of E + out-of-orderness. Windows that were passed before this run are left out.
 */
export type WatermarkClock = {
  posted(lane: number, flights: readonly Flight[], atMs: number): void
  /** When the window's end was passed (`performance.now()`), or `undefined` when it was not, not in this run, or too long ago. */
  passedAtMs(windowEndMs: number): number | undefined
  /** The watermark that everything posted proves, or `undefined` until every lane has posted. */
  watermarkMs(): number | undefined
}

/** How many windows are remembered: at 15 windows a second, half a minute. */
const windowsMax = 512

type LaneProgress = { greatestMs: number }

export function watermarkClock(
  lanes: number,
  windowMs: number,
  { outOfOrdernessMs }: Pick<Watermark, 'outOfOrdernessMs'>,
): WatermarkClock {
  const progress = new Map<number, LaneProgress>()
  const passed = new Map<number, number>()
  const watermark = (): number | undefined => {
    if (progress.size < lanes) return undefined
    return Math.min(...[...progress.values()].map(({ greatestMs }) => greatestMs)) - outOfOrdernessMs
  }
  return {
    posted: (lane, flights, atMs) => {
      const before = watermark()
      const greatestMs = Math.max(progress.get(lane)?.greatestMs ?? -Infinity, ...flights.map((f) => f.departedMs))
      progress.set(lane, { greatestMs })
      const after = watermark()
      // The lane that posts last for the first time says nothing about when earlier windows were passed.
      if (before === undefined || after === undefined) return
      for (let end = nextEnd(before, windowMs); end <= after; end += windowMs) remember(passed, end, atMs)
    },
    passedAtMs: (windowEndMs) => passed.get(windowEndMs),
    watermarkMs: watermark,
  }
}

/** The first window end after a watermark. */
function nextEnd(watermarkMs: number, windowMs: number): number {
  return (Math.floor(watermarkMs / windowMs) + 1) * windowMs
}

function remember(passed: Map<number, number>, windowEndMs: number, atMs: number): void {
  passed.set(windowEndMs, atMs)
  const oldest = passed.size > windowsMax ? passed.keys().next().value : undefined
  if (oldest !== undefined) passed.delete(oldest)
}
