const delayMinMs = 50
const delayMaxMs = 1_000

/** How long to wait after so many failed attempts: exponential, with half of it at random, so that clients do not come back all at once. */
export function backoffMs(attempts: number): number {
  const delay = Math.min(delayMaxMs, delayMinMs * 2 ** Math.min(attempts, 10))
  return delay / 2 + (Math.random() * delay) / 2
}
