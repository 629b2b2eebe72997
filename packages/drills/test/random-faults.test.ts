import { orderSchema } from '@millrace/faults/fault'
import { expect, test } from 'vitest'
import { planFaults } from '../src/random-faults.ts'

const totalMs = 24_000
const seeds = Array.from({ length: 50 }, (_, index) => index + 1)

test('a seed makes up the same faults each time, and another makes up others', () => {
  const plans = seeds.map((seed) => JSON.stringify(planFaults(seed, [1, 2, 3], totalMs)))
  expect(seeds.map((seed) => JSON.stringify(planFaults(seed, [1, 2, 3], totalMs)))).toEqual(plans)
  expect(new Set(plans).size).toBe(seeds.length)
})

test('every fault can be ordered, is over in time, and several stand at once', () => {
  for (const seed of seeds) {
    const planned = planFaults(seed, [1, 2, 3], totalMs)
    for (const { atMs, forMs, what } of planned) {
      expect(atMs + forMs).toBeLessThanOrEqual(totalMs + 1)
      if (what.kind === 'cut-off') expect([1, 2, 3]).toContain(what.node)
      else expect(orderSchema.safeParse({ listeners: ['x'], fault: what.fault, forMs }).success).toBe(true)
    }
    const overlap = planned.some((one) =>
      planned.some((other) => other !== one && other.atMs > one.atMs && other.atMs < one.atMs + one.forMs),
    )
    expect(overlap).toBe(true)
  }
})

test('all kinds of faults are made up', () => {
  const kinds = seeds
    .flatMap((seed) => planFaults(seed, [1, 2, 3], totalMs))
    .map(({ what }) => (what.kind === 'cut-off' ? what.kind : what.fault.kind))
  expect(new Set(kinds)).toEqual(new Set(['cut-off', 'latency', 'black-hole', 'reset', 'corrupt', 'refuse']))
})
