import { setImmediate as turn } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { pacer } from '../src/pacer.ts'

/** Whether a promise is still open when everything that can go on at once has done so. */
async function waits(promise: Promise<void>): Promise<boolean> {
  const opened = Symbol('open')
  return (await Promise.race([promise, turn().then(() => turn(opened))])) === opened
}

/** So slow a clock and so low a rate that whoever has to wait does not come on during the test. */
function paced(eventsPerSecond: number) {
  let nowMs = 0
  const end = new AbortController()
  const wait = pacer(eventsPerSecond, () => nowMs)
  return {
    waits: (events: number) => waits(wait(events, end.signal)),
    at: (ms: number) => (nowMs = ms),
    end: () => end.abort(),
  }
}

test('without a rate nobody waits', async () => {
  const wait = pacer(undefined)
  expect(await waits(wait(1_000_000))).toBe(false)
  expect(await waits(wait(1_000_000))).toBe(false)
})

test('events wait until those before them have had their time', async () => {
  const pace = paced(0.1)
  expect(await pace.waits(10)).toBe(false)
  pace.at(99_000)
  expect(await pace.waits(1)).toBe(true)
  pace.end()

  const later = paced(0.1)
  expect(await later.waits(10)).toBe(false)
  later.at(100_000)
  expect(await later.waits(1)).toBe(false)
  later.end()
})

test('after a stall it catches up one second and no more', async () => {
  const pace = paced(10)
  await pace.waits(1)
  pace.at(3_600_000)
  expect(await pace.waits(10)).toBe(false)
  expect(await pace.waits(36_000)).toBe(false)
  expect(await pace.waits(1)).toBe(true)
  pace.end()
})

test('an aborted wait is over at once, and is no error', async () => {
  const end = new AbortController()
  const wait = pacer(0.001, () => 0)
  await wait(1)
  const waiting = wait(1, end.signal)
  end.abort()
  await expect(waiting).resolves.toBeUndefined()
})
