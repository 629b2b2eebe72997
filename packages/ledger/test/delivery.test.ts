import { describe, expect, test } from 'vitest'
import { answerChecks, historyChecks } from '../src/delivery-checks.ts'
import { honestHistory, verdictOn } from './history.ts'
import { faults } from './planted-faults.ts'

const checks = [...answerChecks, ...historyChecks].map(({ name }) => name)

function failing({ checks: results }: Awaited<ReturnType<typeof verdictOn>>): string[] {
  return results.filter(({ ok }) => !ok).map(({ name }) => name)
}

describe('an honest history', () => {
  test.each(Array.from({ length: 20 }, (_, seed) => seed))('of seed %d raises no alarm', async (seed) => {
    const verdict = await verdictOn(honestHistory(seed))
    expect(failing(verdict)).toEqual([])
    expect(verdict.checks.filter(({ compared }) => compared === 0)).toEqual([])
    expect(verdict).toMatchObject({ ok: true })
    for (const count of [verdict.acknowledged, verdict.unconfirmed, verdict.refused, verdict.copies]) {
      expect(count).toBeGreaterThan(0)
    }
  })
})

describe('a planted fault', () => {
  test.each(faults)('is found by $check: $fault', async ({ check, plant }) => {
    const history = honestHistory(1)
    plant(history)
    expect(failing(await verdictOn(history))).toContain(check)
  })

  test('exists for every check, twenty of them at least', () => {
    expect(new Set(faults.map(({ check }) => check))).toEqual(new Set(checks))
    expect(faults.length).toBeGreaterThanOrEqual(20)
  })
})
