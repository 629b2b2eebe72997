import { expect, test } from 'vitest'
import { latencyOf, putLoad } from '../src/ingest/load.ts'

const inATurn = () => new Promise<void>((resolve) => setImmediate(resolve))

test('every acknowledged event counts, however many are under way at once', async () => {
  let sent = 0
  const send = async () => {
    sent += 1
    await inATurn()
    return 2
  }
  const result = await putLoad(send, { perSecond: undefined, seconds: 0.05, concurrency: 16 })
  expect(sent).toBeGreaterThan(16)
  expect(result).toMatchObject({ events: 2 * sent, failures: 0 })
})

test('at a rate, a body is sent for each due time, and what fails is counted and not timed', async () => {
  let sent = 0
  const send = async () => {
    sent += 1
    await inATurn()
    if (sent % 2 === 0) throw new Error('refused')
    return 1
  }
  const result = await putLoad(send, { perSecond: 200, seconds: 0.1, concurrency: 1 })
  expect(sent).toBe(20)
  expect(result.events + result.failures).toBe(20)
  expect(result.failures).toBeGreaterThan(0)
})

test('a subject that stalls pays for every body that was due meanwhile', async () => {
  const stallMs = 60
  let stalled = false
  const send = () => {
    const until = performance.now() + (stalled ? 0 : stallMs)
    stalled = true
    while (performance.now() < until);
    return Promise.resolve(1)
  }
  const { latencyMs } = await putLoad(send, { perSecond: 100, seconds: 0.1, concurrency: 1 })
  // Ten bodies, one each 10 ms: those that were due during the stall waited for what was left of it.
  expect(latencyMs.p50).toBeGreaterThan(5)
  expect(latencyMs.max).toBeGreaterThanOrEqual(stallMs)
})

test('percentiles are values that were measured', () => {
  const hundred = Array.from({ length: 100 }, (_, index) => 100 - index)
  expect(latencyOf(hundred)).toEqual({ p50: 50, p95: 95, p99: 99, max: 100 })
  expect(latencyOf([7])).toEqual({ p50: 7, p95: 7, p99: 7, max: 7 })
})
