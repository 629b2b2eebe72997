import type { DeliveryVerdict } from '@millrace/ledger/delivery'
import { afterFailOverSecondsMax, type Drill } from './drill.ts'
import { recoveryMs, settledMs, type Timeline } from './timeline.ts'

/** What a drill found, as it is kept in a file. */
export type DrillReport = {
  readonly drill: string
  readonly says: string
  readonly at: string
  /** From its beginning until it had its verdict. */
  readonly tookSeconds: number
  /** What a fault that is left to chance was decided by. */
  readonly seed: number
  readonly ok: boolean
  readonly eventsPerSecondAsked: number
  readonly eventsPerSecond: number
  readonly acknowledged: number
  readonly unconfirmed: number
  readonly refused: number
  readonly copies: number
  readonly faultSeconds: number
  /** From the end of the fault until latencies are what they were for two seconds on end; null when they were not before the drill ended. */
  readonly recoverySeconds: number | null
  /** The same until they stay so: with what comes later, as a leadership that moves back. */
  readonly settledSeconds: number | null
  /** From the end of the fault until others lead all that a lost broker led; null where none was lost. */
  readonly failOverSeconds: number | null
  /** What was promised, where a broker was lost 2 s after the fail-over at most; null for nothing. Whether it was kept is no part of `ok`. */
  readonly recoverySecondsMax: number | null
  readonly isWithinBound: boolean | null
  readonly recoveryBound: string
  readonly p95Ms: { readonly calm: number | null; readonly fault: number | null; readonly after: number | null }
  /** From the beginning of the fault: how many were acknowledged in each second, and the 95th percentile of how long that took. */
  readonly seconds: readonly { readonly acknowledged: number; readonly p95Ms: number | null }[]
  readonly checks: DeliveryVerdict['checks']
}

/** Moments of a drill, at `performance.now()`: the load has begun, is calm, goes wrong, should recover, is led by others, has had time to recover. */
export type Phases = {
  readonly startMs: number
  readonly calmMs: number
  readonly faultMs: number
  readonly healedMs: number
  readonly failedOverMs: number | undefined
  readonly lastMs: number
  readonly endMs: number
}

export type Found = {
  readonly at: string
  readonly tookMs: number
  readonly seed: number
  readonly eventsPerSecondAsked: number
  readonly verdict: DeliveryVerdict
  readonly timeline: Timeline
  readonly phases: Phases
}

export function reportOf(drill: Drill, found: Found): DrillReport {
  const { name, says, recoveryBound, calmsDown } = drill
  const { at, tookMs, seed, eventsPerSecondAsked, verdict, timeline, phases } = found
  const { startMs, calmMs, faultMs, healedMs, failedOverMs, lastMs, endMs } = phases
  const calm = timeline.p95(calmMs, faultMs)
  const recovery = calm === undefined ? undefined : recoveryMs(timeline, healedMs, endMs, calm)
  const settled = calm === undefined ? undefined : settledMs(timeline, healedMs, endMs, calm)
  return {
    drill: name,
    says,
    at,
    tookSeconds: Math.round(tookMs / 1_000),
    seed,
    // A verdict over nothing is none, and who does not come back has lost what will be sent.
    ok:
      verdict.ok &&
      verdict.refused === 0 &&
      timeline.count(startMs, faultMs) > 0 &&
      timeline.count(lastMs, endMs) > 0 &&
      (!calmsDown || recovery !== undefined),
    eventsPerSecondAsked,
    eventsPerSecond: Math.round((timeline.count(startMs, endMs) * 1_000) / (endMs - startMs)),
    acknowledged: verdict.acknowledged,
    unconfirmed: verdict.unconfirmed,
    refused: verdict.refused,
    copies: verdict.copies,
    faultSeconds: Math.round(healedMs - faultMs) / 1_000,
    recoverySeconds: secondsOf(recovery),
    settledSeconds: secondsOf(settled),
    failOverSeconds: failedOverMs === undefined ? null : Math.round(failedOverMs - healedMs) / 1_000,
    ...promiseOf(drill, found, calm),
    recoveryBound,
    p95Ms: {
      calm: calm ?? null,
      fault: timeline.p95(faultMs, healedMs) ?? null,
      after: timeline.p95(lastMs, endMs) ?? null,
    },
    seconds: Array.from({ length: Math.floor((endMs - faultMs) / 1_000) }, (_, second) => {
      const fromMs = faultMs + second * 1_000
      const toMs = fromMs + 1_000
      return { acknowledged: timeline.count(fromMs, toMs), p95Ms: timeline.p95(fromMs, toMs) ?? null }
    }),
    checks: verdict.checks,
  }
}

function promiseOf(
  { recoverySecondsMax }: Drill,
  { timeline, phases: { healedMs, failedOverMs, endMs } }: Found,
  calmP95Ms: number | undefined,
): Pick<DrillReport, 'recoverySecondsMax' | 'isWithinBound'> {
  if (recoverySecondsMax === undefined) return { recoverySecondsMax: null, isWithinBound: null }
  const isCalmWithin = (ms: number, fromMs: number): boolean => {
    const recovery = calmP95Ms === undefined ? undefined : recoveryMs(timeline, fromMs, endMs, calmP95Ms)
    return recovery !== undefined && recovery <= ms
  }
  const afterFailOverMs = afterFailOverSecondsMax * 1_000
  const isKept = isCalmWithin(recoverySecondsMax * 1_000, healedMs)
  if (failedOverMs === undefined) return { recoverySecondsMax, isWithinBound: isKept }
  return {
    recoverySecondsMax: Math.min(recoverySecondsMax, Math.round(failedOverMs - healedMs + afterFailOverMs) / 1_000),
    isWithinBound: isKept && isCalmWithin(afterFailOverMs, failedOverMs),
  }
}

function secondsOf(ms: number | undefined): number | null {
  return ms === undefined ? null : ms / 1_000
}
