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

/** Whether four half seconds on end were calm: what a busy machine does later to one of them counts no more. */
export function hasCalmedDown(timeline: Timeline, fromMs: number, toMs: number, calmP95Ms: number): boolean {
  let onEnd = 0
  for (let startMs = fromMs; startMs + stepMs <= toMs && onEnd < calmSteps; startMs += stepMs) {
    onEnd = isCalm(timeline, startMs, calmP95Ms) ? onEnd + 1 : 0
  }
  return onEnd === calmSteps
}

/**
 * How long after a moment it took until every following half second was calm, in ms; `undefined` when the last one was not.
 * @param calmP95Ms of before the fault
 */
export function recoveryMs(timeline: Timeline, fromMs: number, toMs: number, calmP95Ms: number): number | undefined {
  const steps = Math.floor((toMs - fromMs) / stepMs)
  for (let step = steps; step > 0; step -= 1) {
    if (!isCalm(timeline, fromMs + (step - 1) * stepMs, calmP95Ms)) return step === steps ? undefined : step * stepMs
  }
  return 0
}
