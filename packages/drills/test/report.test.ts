import { expect, test } from 'vitest'
import type { Drill } from '../src/drill.ts'
import { reportOf } from '../src/report.ts'
import { createTimeline } from '../src/timeline.ts'

const verdict = { ok: true, checks: [], acknowledged: 1, unconfirmed: 0, refused: 0, copies: 0 }
const phases = {
  startMs: 0,
  calmMs: 1_000,
  faultMs: 2_000,
  healedMs: 3_000,
  failedOverMs: undefined,
  lastMs: 8_000,
  endMs: 10_000,
}
const drill: Drill = {
  ...{ name: 'd', says: 'it fails', recoveryBound: 'the network', calmsDown: true },
  fault: () => Promise.resolve(undefined),
}

/** An answer every 100 ms, slow from the fault until that moment. */
function reportOn(slowUntilMs: number, recoverySecondsMax?: number, failedOverMs?: number) {
  const timeline = createTimeline()
  for (let atMs = 0; atMs < phases.endMs; atMs += 100) {
    timeline.acknowledged(10, atMs >= phases.faultMs && atMs < slowUntilMs ? 900 : 20, atMs)
  }
  const found = {
    at: '',
    tookMs: 71_400,
    seed: 1,
    eventsPerSecondAsked: 100,
    verdict,
    timeline,
    phases: { ...phases, failedOverMs },
  }
  return reportOf({ ...drill, ...(recoverySecondsMax !== undefined && { recoverySecondsMax }) }, found)
}

test('a drill says whether it recovered within what is promised, and its verdict does not depend on it', () => {
  expect(reportOn(6_000, 3)).toMatchObject({ ok: true, recoverySeconds: 3, recoverySecondsMax: 3, isWithinBound: true })
  expect(reportOn(6_100, 3)).toMatchObject({
    ok: true,
    recoverySeconds: 3.5,
    settledSeconds: 3.5,
    isWithinBound: false,
  })
})

test('where a broker was lost, it is promised that 2 s after others lead what it led all is calm, and after so long at most', () => {
  expect(reportOn(6_000, 8)).toMatchObject({ failOverSeconds: null, recoverySecondsMax: 8, isWithinBound: true })
  expect(reportOn(6_000, 8, 4_250)).toMatchObject({
    failOverSeconds: 1.25,
    recoverySecondsMax: 3.25,
    isWithinBound: true,
  })
  expect(reportOn(6_500, 8, 4_250)).toMatchObject({ recoverySecondsMax: 3.25, isWithinBound: false })
  expect(reportOn(6_000, 2, 5_000)).toMatchObject({ recoverySecondsMax: 2, isWithinBound: false })
})

test('one that does not recover has kept nothing, and one that promises nothing has nothing to keep', () => {
  expect(reportOn(9_000, 3)).toMatchObject({ ok: false, recoverySeconds: null, isWithinBound: false })
  expect(reportOn(4_000)).toMatchObject({ ok: true, recoverySecondsMax: null, isWithinBound: null })
})
