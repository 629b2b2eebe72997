/** When events were acknowledged, and how long that took: to tell when a platform that was disturbed is calm again. */

export type Timeline = {
  readonly acknowledged: (events: number, tookMs: number, atMs: number) => void
  /** The 95th percentile, in ms, of what was acknowledged from one moment up to another; `undefined` when nothing was. */
  readonly p95: (fromMs: number, toMs: number) => number | undefined
  /** How many events were acknowledged from one moment up to another. */
  readonly count: (fromMs: number, toMs: number) => number
}

type Answer = { readonly events: number; readonly tookMs: number; readonly atMs: number }

export function createTimeline(): Timeline {
  const answers: Answer[] = []
  const within = (fromMs: number, toMs: number) => answers.filter(({ atMs }) => atMs >= fromMs && atMs < toMs)
  const count = (fromMs: number, toMs: number) => within(fromMs, toMs).reduce((sum, { events }) => sum + events, 0)
  return {
    acknowledged: (events, tookMs, atMs) => answers.push({ events, tookMs, atMs }),
    count,
    p95: (fromMs, toMs) => {
      const sorted = within(fromMs, toMs).toSorted((one, other) => one.tookMs - other.tookMs)
      let left = 0.95 * count(fromMs, toMs)
      return sorted.find(({ events }) => (left -= events) <= 0)?.tookMs
    },
  }
}

const stepMs = 500
/** What counts as calm: a 95th percentile of twice that before the fault, or this much more. */
const calmTimes = 2
const calmMoreMs = 100
const calmSteps = 4

function isCalm(timeline: Timeline, startMs: number, calmP95Ms: number): boolean {
  const p95 = timeline.p95(startMs, startMs + stepMs)
  return p95 !== undefined && p95 <= Math.max(calmTimes * calmP95Ms, calmP95Ms + calmMoreMs)
}

/** The half seconds from one moment up to another, each calm or not. */
function calmOf(timeline: Timeline, fromMs: number, toMs: number, calmP95Ms: number): boolean[] {
  const steps = Math.max(0, Math.floor((toMs - fromMs) / stepMs))
  return Array.from({ length: steps }, (_, step) => isCalm(timeline, fromMs + step * stepMs, calmP95Ms))
}

/**
 * How long after a moment the first two seconds began that were calm on end, in ms; `undefined` when there are none. By when an event was
 * acknowledged, so what was sent in the fault counts with all that it took: an event that is sent again delays recovery too. What comes
 * later, as a leadership that moves back or a machine that is busy for a moment, does not belong to the fault: `settledMs` tells it.
 * @param calmP95Ms of before the fault
 */
export function recoveryMs(timeline: Timeline, fromMs: number, toMs: number, calmP95Ms: number): number | undefined {
  const calm = calmOf(timeline, fromMs, toMs, calmP95Ms)
  const first = calm.findIndex((_, step) => {
    const onEnd = calm.slice(step, step + calmSteps)
    return onEnd.length === calmSteps && onEnd.every(Boolean)
  })
  return first === -1 ? undefined : first * stepMs
}

/** How long after a moment it took until every following half second was calm, in ms; `undefined` when the last one was not. */
export function settledMs(timeline: Timeline, fromMs: number, toMs: number, calmP95Ms: number): number | undefined {
  const calm = calmOf(timeline, fromMs, toMs, calmP95Ms)
  const step = calm.lastIndexOf(false) + 1
  return step > 0 && step === calm.length ? undefined : step * stepMs
}
