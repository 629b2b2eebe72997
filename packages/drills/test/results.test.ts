import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { projectDirectory } from '@millrace/stack/layout'
import { expect, test } from 'vitest'
import { type DrillResults, pageOf, readResults } from '../src/results.ts'

const report = {
  ...{ drill: 'broker-kill', says: 'kill -9 of a broker', at: '2026-11-30T06:00:00.000Z', seed: 7, ok: true },
  ...{ eventsPerSecondAsked: 1_000, eventsPerSecond: 998, acknowledged: 41_200, unconfirmed: 0, refused: 0, copies: 3 },
  ...{
    faultSeconds: 0,
    tookSeconds: 71,
    recoverySeconds: 6.5,
    failOverSeconds: 6,
    recoverySecondsMax: 8,
    isWithinBound: true,
    settledSeconds: 9,
    recoveryBound: 'the session of a broker',
  },
}
const runOf = (...drills: DrillResults['drills']): DrillResults => ({
  at: '2026-11-30T06:10:00.000Z',
  machine: { cores: 2, model: 'a processor', node: 'v26.10.0' },
  drills,
})

test('the page in the docs is what the results that are kept there say', async () => {
  const docs = resolve(projectDirectory, 'docs')
  expect(await readFile(resolve(docs, 'drills.md'), 'utf8')).toBe(pageOf(await readResults(resolve(docs, 'drills'))))
})

test('a page shows each drill as it was last run, and the events of all runs', () => {
  const failed = {
    ...report,
    drill: 'gateway-kill',
    ok: false,
    recoverySeconds: null,
    isWithinBound: false,
    settledSeconds: null,
  }
  const notRun = { drill: 'clock-skew', says: 'another clock', why: 'not run: it takes faketime' }
  const page = pageOf([runOf({ ...report, acknowledged: 1_000_000 }, notRun), runOf(report, failed)])
  expect(page).toContain(
    'Each drill as it was last run, 2026-11-30, on 2 cores (a processor), Node v26.10.0. In the 2 runs that',
  )
  expect(page).toContain('are kept 1,082,400 events were acknowledged; 1 verdicts do not hold.')
  expect(page).toContain(
    '| `broker-kill` | kill -9 of a broker | holds | 998 | 41,200 | 3 | 0.0 | 6.0 | 6.5 | 8.0 | yes | 9.0 | the session of a broker | 71 |',
  )
  expect(page).toContain(
    '| `gateway-kill` | kill -9 of a broker | **does not hold** | 998 | 41,200 | 3 | 0.0 | 6.0 | not in time | 8.0 | **no** | not in time |',
  )
  expect(page).toContain('| `clock-skew` | another clock | not run: it takes faketime |  |')
  expect(page.match(/`broker-kill`/g)).toHaveLength(1)
})
