/** Faults of the network that are made up from a number: the same number makes up the same. */
import { seededRandom } from '@millrace/core/random'
import type { Fault } from '@millrace/faults/fault'

export type PlannedFault = {
  /** From the beginning. */
  readonly atMs: number
  readonly forMs: number
  /** The brokers whose clients it befalls; or one that is cut off from everybody. */
  readonly what:
    | { readonly kind: 'clients'; readonly nodes: readonly number[]; readonly fault: Fault }
    | { readonly kind: 'cut-off'; readonly node: number }
}

const forMsMin = 500
const forMsMax = 4_500
const pauseMsMax = 1_000
/** How many begin without regard to each other: that many may stand at once. */
const threads = 2
const cutOffShare = 0.2
const allBrokersShare = 0.2

/** @param nodes the brokers there are */
export function planFaults(seed: number, nodes: readonly number[], totalMs: number): PlannedFault[] {
  const random = seededRandom(seed)
  const planned: PlannedFault[] = []
  for (let thread = 0; thread < threads; thread += 1) {
    let atMs = random() * pauseMsMax
    while (atMs + forMsMin <= totalMs) {
      const forMs = Math.min(totalMs - atMs, forMsMin + random() * (forMsMax - forMsMin))
      planned.push({ atMs: Math.round(atMs), forMs: Math.floor(forMs), what: madeUp(nodes, random) })
      atMs += forMs + random() * pauseMsMax
    }
  }
  return planned
}

export function oneOf<T>(values: readonly T[], random: () => number): T {
  const value = values[Math.floor(random() * values.length)]
  if (value === undefined) throw new RangeError('there is nothing to choose from')
  return value
}

function madeUp(nodes: readonly number[], random: () => number): PlannedFault['what'] {
  const node = oneOf(nodes, random)
  if (random() < cutOffShare) return { kind: 'cut-off', node }
  const direction = oneOf(['up', 'down', 'both'] as const, random)
  const fault = oneOf<Fault>(
    [
      { kind: 'latency', direction, ms: 150, jitterMs: 150, seed: Math.floor(random() * 2 ** 31) },
      { kind: 'black-hole', direction, bytes: 'held' },
      { kind: 'black-hole', direction, bytes: 'lost' },
      { kind: 'reset', direction, afterBytes: Math.floor(random() * 100_000) },
      { kind: 'corrupt', direction },
      { kind: 'refuse' },
    ],
    random,
  )
  return { kind: 'clients', nodes: random() < allBrokersShare ? nodes : [node], fault }
}
