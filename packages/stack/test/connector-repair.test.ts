import { expect, onTestFinished, test, vi } from 'vitest'
import { repairConnectors } from '../src/connector-repair.ts'

test('a failed connector is restarted and told, less and less often while it goes on failing; no answer is no failure', async () => {
  const answers = [0, 1, 1, 'no answer', 0]
  const asked: number[] = []
  const notes: string[] = []
  const restartFailed = (): Promise<number> => {
    asked.push(performance.now())
    const answer = answers.shift() ?? 0
    return typeof answer === 'number' ? Promise.resolve(answer) : Promise.reject(new Error(answer))
  }
  const repair = repairConnectors({ restartFailed }, ['snowflake-orders'], (sentence) => notes.push(sentence), 40)
  onTestFinished(() => repair.stop())
  await vi.waitUntil(() => answers.length === 0)
  expect(notes).toEqual([
    'snowflake-orders had failed: restarted, to be looked at again in 0.08 s',
    'snowflake-orders had failed: restarted, to be looked at again in 0.16 s',
  ])
  const [, first = 0, second = 0, third = 0] = asked
  expect(third - second).toBeGreaterThan(second - first)
})

test('the repair ends when it is told to', async () => {
  const restartFailed = vi.fn(() => Promise.resolve(0))
  await repairConnectors({ restartFailed }, ['a', 'b'], () => undefined, 10_000).stop()
  expect(restartFailed).not.toHaveBeenCalled()
})
