import { expect, test, vi } from 'vitest'
import { ProblemError } from '../src/problem.ts'
import { createTurns } from '../src/turns.ts'

/** Work that ends when it is told to. */
function held(name: string, started: string[]) {
  const gate = Promise.withResolvers<string>()
  return { end: () => gate.resolve(name), work: () => (started.push(name), gate.promise) }
}

test('so much is done at once, and the rest in the order in which it came', async () => {
  const turns = createTurns({ atOnceMax: 2, waitingMax: 10, waitMsMax: 10_000 })
  const started: string[] = []
  const [a, b, c, d] = [held('a', started), held('b', started), held('c', started), held('d', started)]
  const done = [a, b, c, d].map(({ work }) => turns.take(work))
  await vi.waitUntil(() => started.length === 2)
  b.end()
  expect(await done[1]).toBe('b')
  await vi.waitUntil(() => started.length === 3)
  expect(started).toEqual(['a', 'b', 'c'])
  for (const { end } of [a, c, d]) end()
  expect(await Promise.all(done)).toEqual(['a', 'b', 'c', 'd'])
})

test('work that fails gives its place away too', async () => {
  const turns = createTurns({ atOnceMax: 1, waitingMax: 1, waitMsMax: 10_000 })
  await expect(turns.take(() => Promise.reject(new Error('no')))).rejects.toThrow('no')
  expect(await turns.take(() => Promise.resolve('yes'))).toBe('yes')
})

test('too much that waits is refused, and what waits too long, with 503', async () => {
  const turns = createTurns({ atOnceMax: 1, waitingMax: 1, waitMsMax: 20 })
  const started: string[] = []
  const first = held('first', started)
  const running = turns.take(first.work)
  const waiting = turns.take(() => Promise.resolve('never'))
  const refused = turns.take(() => Promise.resolve('never'))
  await expect(refused).rejects.toBeInstanceOf(ProblemError)
  await expect(waiting).rejects.toMatchObject({ problem: { status: 503 } })
  first.end()
  expect(await running).toBe('first')
  expect(await turns.take(() => Promise.resolve('next'))).toBe('next')
})
