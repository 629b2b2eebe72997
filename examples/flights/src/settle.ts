import { setTimeout as delay } from 'node:timers/promises'
import type { Admin } from '@millrace/kafka/admin'
import type { Reader } from '@millrace/kafka/reader'
import { type Consumption, isCaughtUp } from './backlog.ts'

/** Longer than it takes for a server that was just killed to come back and catch up. */
const settleTimeoutMs = 180_000
const lookMs = 500
/** Several checkpoints long, those of the pipelines that commit least often: what the last one committed has become readable by then. */
const quietMs = 6_000

/**
 * Waits until everything has flowed to its end: each group has read and committed all that its topic holds, and stays so for a while.
 * @returns false when it did not come to that in time, or `signal` was aborted
 */
export async function settle(
  admin: Admin,
  reader: Reader,
  flow: readonly Consumption[],
  signal: AbortSignal,
): Promise<boolean> {
  const deadlineMs = performance.now() + settleTimeoutMs
  let quietSinceMs: number | undefined
  while (performance.now() < deadlineMs && !signal.aborted) {
    if (!(await allCaughtUp(admin, reader, flow))) quietSinceMs = undefined
    else if (quietSinceMs === undefined) quietSinceMs = performance.now()
    else if (performance.now() - quietSinceMs >= quietMs) return true
    await delay(lookMs, undefined, { signal }).catch(() => undefined)
  }
  return false
}

/** A broker that is away answers nothing: then it is not known, so it is not so. */
async function allCaughtUp(admin: Admin, reader: Reader, flow: readonly Consumption[]): Promise<boolean> {
  for (const consumption of flow) {
    if (!(await isCaughtUp(admin, reader, consumption).catch(() => false))) return false
  }
  return true
}
