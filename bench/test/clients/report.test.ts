import { expect, test } from 'vitest'
import { markdownOf } from '../../src/clients/markdown.ts'
import { type ClientRun, reportOf } from '../../src/clients/report.ts'

const candidates = ['steady', 'careless'].map((name) => ({
  name,
  version: '1.0.0',
  settings: 'none',
  open: () => Promise.reject(new Error('not opened here')),
}))
const machine = { cores: 2, model: 'a processor', node: 'v26.0.0', loadAverage: { start: 0.5, end: 2.5 } }

function run(candidate: string, round: number, wrong: Partial<ClientRun> = {}): ClientRun {
  return {
    ...{ candidate, round, fault: 'leader-kill', acknowledged: 1_000, unconfirmed: 3, unanswered: 0, lost: 0 },
    ...{ copies: 0, misplaced: 0, disordered: 0, others: [], silenceMs: 6_000 + round, died: null },
    ...wrong,
  }
}

test('a client’s runs are added up, and only those without fault are clean', () => {
  const runs = [run('steady', 1), run('steady', 2), run('careless', 1, { lost: 7 }), run('careless', 2, { died: 'oh' })]
  const { totals, rounds } = reportOf(runs, candidates, machine)
  expect(rounds).toBe(2)
  expect(totals).toMatchObject([
    { candidate: 'steady', runs: 2, clean: 2, acknowledged: 2_000, unconfirmed: 6, lost: 0, silenceMs: 6_002 },
    { candidate: 'careless', runs: 2, clean: 0, acknowledged: 2_000, lost: 7, died: 1 },
  ])
})

test('a run of which another check does not hold is not clean', () => {
  const { totals } = reportOf([run('steady', 1, { others: ['stored-was-sent'] })], candidates, machine)
  expect(totals[0]).toMatchObject({ runs: 1, clean: 0 })
})

test('the page has a row for each client under each fault, and what is wrong stands out', () => {
  const page = markdownOf(reportOf([run('steady', 1), run('careless', 1, { lost: 7 })], candidates, machine))
  expect(page).toContain('| careless | 1,000 | 3 | 0 | **7** | 0 | 0 | 0 | 0 | 6.0 | 0 of 1 |')
  expect(page.match(/^\| steady \|/gm)).toHaveLength(3)
})
