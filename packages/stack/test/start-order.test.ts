import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { inDependencyOrder, runInOrder, type Step } from '../src/start-order.ts'

const calm = new AbortController().signal

function steps(log: string[], edges: Record<string, string[]>, failing = ''): Step[] {
  return Object.entries(edges).map(([name, dependsOn]) => ({
    name,
    dependsOn,
    run: async () => {
      log.push(`${name} begins`)
      await sleep(5)
      if (name === failing) throw new Error(`${name} failed`)
      log.push(`${name} is ready`)
    },
  }))
}

test('a step begins when everything that it depends on is ready', async () => {
  const log: string[] = []
  await runInOrder(steps(log, { gateway: ['kafka', 'registry'], registry: ['kafka'], kafka: [] }), calm)
  expect(log).toEqual(['kafka', 'registry', 'gateway'].flatMap((name) => [`${name} begins`, `${name} is ready`]))
})

test('steps between which nothing stands run side by side', async () => {
  const log: string[] = []
  await runInOrder(steps(log, { one: [], two: [] }), calm)
  expect(log.slice(0, 2)).toEqual(['one begins', 'two begins'])
})

test('after a failure nothing that depends on it begins, and the failure is thrown', async () => {
  const log: string[] = []
  await expect(runInOrder(steps(log, { kafka: [], gateway: ['kafka'] }, 'kafka'), calm)).rejects.toThrow('kafka failed')
  expect(log).not.toContain('gateway begins')
})

test('an aborted start begins no further step', async () => {
  const log: string[] = []
  const aborted = AbortSignal.abort(new Error('interrupted'))
  await expect(runInOrder(steps(log, { kafka: [] }), aborted)).rejects.toThrow('interrupted')
  expect(log).toEqual([])
})

test('a circle or a missing part is refused', () => {
  expect(() => inDependencyOrder(steps([], { one: ['two'], two: ['one'] }))).toThrow(/one → two → one/)
  expect(() => inDependencyOrder(steps([], { one: ['two'] }))).toThrow(/"two", which is not there/)
})
