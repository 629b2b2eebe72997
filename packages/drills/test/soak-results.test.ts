import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { projectDirectory } from '@millrace/stack/layout'
import { expect, test } from 'vitest'
import { acknowledgedIn, everyRoundHolds, readSoaks, type SoakResults, soakPageOf } from '../src/soak-results.ts'

const round = {
  ...{ at: '2026-11-30T06:00:00.000Z', seed: 7, ok: true, eventsPerSecond: 3_900 },
  ...{
    acknowledged: 500_000,
    unconfirmed: 2,
    refused: 0,
    copies: 30,
    faults: ['leader-kill', 'network-cut'],
    broken: [],
  },
}
const lost = { ...round, ok: false, eventsPerSecond: 3_000, broken: ['acknowledged-is-stored'] }
const brokeOff = { at: round.at, faults: ['gateway-kill'], why: 'the stack did not come back' }
const soakOf = (...rounds: SoakResults['rounds']): SoakResults => ({
  at: '2026-11-30T05:59:00.000Z',
  machine: { cores: 2, model: 'a processor', node: 'v26.10.0' },
  eventsPerSecondAsked: 6_000,
  rounds,
})

test('the page in the docs is what the results that are kept there say', async () => {
  const docs = resolve(projectDirectory, 'docs')
  expect(await readFile(resolve(docs, 'soak.md'), 'utf8')).toBe(soakPageOf(await readSoaks(resolve(docs, 'soak'))))
})

test('a page has a line for each soak, and the events of all', () => {
  const page = soakPageOf([soakOf(round, { ...round, eventsPerSecond: 3_000 }), soakOf(round)])
  expect(page).toContain('1,500,000 events were acknowledged in 3 rounds;\nevery verdict holds.')
  expect(page).toContain(
    '| 2026-11-30 05:59 | 2 cores (a processor), Node v26.10.0 | 2 | 4 | 6000 | 3000 to 3900 | 1,000,000 | 4 | 60 | all hold |',
  )
})

test('a verdict that does not hold is told, and one that is missing', () => {
  for (const rounds of [
    [round, lost],
    [round, brokeOff],
  ]) {
    const page = soakPageOf([soakOf(...rounds)])
    expect(page).toContain('1 rounds have no verdict, or one that does not hold.')
    expect(page).toContain('**not all hold**')
    expect(everyRoundHolds(rounds)).toBe(false)
  }
  expect(acknowledgedIn([round, lost, brokeOff])).toBe(1_000_000)
  expect(soakPageOf([soakOf(brokeOff)])).toContain('| 1 | 1 | 6000 |  | 0 | 0 | 0 | **not all hold** |')
})
