import { MillraceError } from '@millrace/core/errors'
import { expect, test, vi } from 'vitest'
import { polled } from '../src/polled.ts'

const away = (): Promise<number> => Promise.reject(new MillraceError('kafka.unavailable', 'no broker answers'))

/** A source whose answers come one after another, the last one over and over. */
function source(...answers: readonly (() => Promise<number>)[]) {
  const stopping = new AbortController()
  const ask = vi.fn(() => (answers[ask.mock.calls.length - 1] ?? answers.at(-1) ?? away)())
  return { ask, stopping, value: polled(ask, 1, stopping.signal) }
}

test('a value is unknown until its source has answered, and then the newest', async () => {
  const { value, stopping } = source(
    () => Promise.resolve(1),
    () => Promise.resolve(2),
  )
  expect(value.current()).toBeUndefined()
  await expect.poll(() => value.current()).toBe(2)
  stopping.abort()
  await value.ended
})

test('it is unknown while its source does not answer, and is asked for again', async () => {
  let isAway = false
  const { value, stopping } = source(() => (isAway ? away() : Promise.resolve(1)))
  await expect.poll(() => value.current()).toBe(1)
  isAway = true
  await expect.poll(() => value.current()).toBeUndefined()
  isAway = false
  await expect.poll(() => value.current()).toBe(1)
  stopping.abort()
  await value.ended
})

test('it is not asked for after the end, which does not wait for the next time', async () => {
  const ask = vi.fn(() => Promise.resolve(1))
  const stopping = new AbortController()
  const value = polled(ask, 3_600_000, stopping.signal)
  await expect.poll(() => value.current()).toBe(1)
  stopping.abort()
  await value.ended
  expect(ask).toHaveBeenCalledTimes(1)
})

test('a defect ends the asking, leaves the value unknown and is told to whoever waits for the end', async () => {
  const defect = new TypeError('not a function')
  const { ask, value } = source(
    () => Promise.resolve(1),
    () => Promise.reject(defect),
  )
  await expect.poll(() => ask.mock.calls.length).toBe(2)
  await expect.poll(() => value.current()).toBeUndefined()
  await expect(value.ended).rejects.toBe(defect)
  expect(ask).toHaveBeenCalledTimes(2)
})
