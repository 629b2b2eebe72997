/** How load is made: at a rate, whatever the subject does (open loop), or as fast as it answers (closed loop). */
import { setTimeout as sleep } from 'node:timers/promises'
import * as z from 'zod'

/** Sends one body; resolves to the events that were acknowledged, rejects where none was. */
export type Send = () => Promise<number>

export type Load = {
  /** In bodies; absent: as fast as they are answered. */
  readonly perSecond: number | undefined
  readonly seconds: number
  /** How many are under way at most, where there is no rate. */
  readonly concurrency: number
}

const latency = z.strictObject({ p50: z.number(), p95: z.number(), p99: z.number(), max: z.number() })
export type Latency = Readonly<z.infer<typeof latency>>

/** What a load came to, as a process that makes it tells another. */
export const loadResult = z.strictObject({
  events: z.number(),
  failures: z.number(),
  /** Bodies that were due while too many waited already: they were not sent, and have no latency. */
  unsent: z.number(),
  seconds: z.number(),
  latencyMs: latency,
})
export type LoadResult = Readonly<z.infer<typeof loadResult>>

const waitingMax = 10_000
/** How often it is looked at what is due: a body leaves so much late at most, and its latency counts from when it was due. */
const tickMs = 1

/** Puts load on a subject and measures it. */
export async function putLoad(send: Send, load: Load): Promise<LoadResult> {
  const sums = { events: 0, failures: 0, unsent: 0 }
  const latencies: number[] = []
  const sendOne = async (dueMs: number): Promise<void> => {
    try {
      const acknowledged = await send()
      sums.events += acknowledged
      latencies.push(performance.now() - dueMs)
    } catch {
      sums.failures += 1
    }
  }
  const since = performance.now()
  await (load.perSecond === undefined
    ? closedLoop(sendOne, load)
    : openLoop(sendOne, load.perSecond, load.seconds, () => (sums.unsent += 1)))
  return { ...sums, seconds: (performance.now() - since) / 1_000, latencyMs: latencyOf(latencies) }
}

async function closedLoop(sendOne: (dueMs: number) => Promise<void>, { concurrency, seconds }: Load): Promise<void> {
  const endMs = performance.now() + seconds * 1_000
  const sendInTurn = async (): Promise<void> => {
    while (performance.now() < endMs) await sendOne(performance.now())
  }
  await Promise.all(Array.from({ length: concurrency }, sendInTurn))
}

async function openLoop(
  sendOne: (dueMs: number) => Promise<void>,
  perSecond: number,
  seconds: number,
  onUnsent: () => void,
): Promise<void> {
  const startMs = performance.now()
  const all = Math.round(perSecond * seconds)
  const dueMs = (index: number): number => startMs + (index * 1_000) / perSecond
  const underWay = new Set<Promise<void>>()
  for (let index = 0; index < all;) {
    for (; index < all && dueMs(index) <= performance.now(); index++) {
      if (underWay.size >= waitingMax) onUnsent()
      else {
        const sending = sendOne(dueMs(index)).finally(() => underWay.delete(sending))
        underWay.add(sending)
      }
    }
    await sleep(tickMs)
  }
  await Promise.all(underWay)
}

/** Exact: every latency of a measurement is kept, and there are no more than its rate times its length. */
export function latencyOf(latencies: readonly number[]): Latency {
  const sorted = Float64Array.from(latencies).sort()
  const percentile = (share: number): number => sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? NaN
  return { p50: percentile(0.5), p95: percentile(0.95), p99: percentile(0.99), max: percentile(1) }
}
