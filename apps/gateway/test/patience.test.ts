import type { CachedSchema } from '@millrace/schemas/schema-cache'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { impatient } from '../src/patience.ts'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

const schema: CachedSchema = { id: 7, format: 'avro', schema: '"string"', references: [], subjects: [] }

/** A registry that answers when it is told to. */
function hanging() {
  const asked: PromiseWithResolvers<CachedSchema | undefined>[] = []
  const schemas = impatient({
    known: () => undefined,
    byId: () => {
      const question = Promise.withResolvers<CachedSchema | undefined>()
      asked.push(question)
      return question.promise
    },
  })
  /** How long an answer took, and what it was. */
  const timed = async (id: number) => {
    const since = performance.now()
    const answer = schemas.byId(id)
    await vi.advanceTimersByTimeAsync(0)
    while (vi.getTimerCount() > 0) await vi.advanceTimersToNextTimerAsync()
    return { answer: await answer, afterMs: performance.now() - since }
  }
  return { asked, schemas, timed }
}

test('what comes in time is waited for', async () => {
  const { asked, schemas } = hanging()
  const answer = schemas.byId(7)
  await vi.advanceTimersByTimeAsync(499)
  asked[0]?.resolve(schema)
  expect(await answer).toBe(schema)
  expect(vi.getTimerCount()).toBe(0)
})

test('what does not come in time is asked for, and not waited for, five seconds long; others are', async () => {
  const { asked, timed } = hanging()
  expect(await timed(7)).toEqual({ answer: undefined, afterMs: 500 })
  expect(await timed(7)).toEqual({ answer: undefined, afterMs: 0 })
  expect(await timed(8)).toEqual({ answer: undefined, afterMs: 500 })
  expect(asked).toHaveLength(3)
  await vi.advanceTimersByTimeAsync(4_499)
  expect(await timed(7)).toEqual({ answer: undefined, afterMs: 0 })
  await vi.advanceTimersByTimeAsync(1)
  expect(await timed(7)).toEqual({ answer: undefined, afterMs: 500 })
})

test('a refusal that comes when nobody waits any more hurts nobody; one that comes in time is told', async () => {
  const { asked, schemas, timed } = hanging()
  await timed(7)
  asked[0]?.reject(new Error('too late'))
  const answer = expect(schemas.byId(8)).rejects.toThrow('in time')
  asked[1]?.reject(new Error('in time'))
  await answer
})
