const bounds = { minMs: 50, maxMs: 1_000 } as const

/** How long to wait after so many failed attempts: exponential, with half of it at random, so that clients do not come back all at once. */
export function backoffMs(attempts: number, { minMs, maxMs }: { minMs: number; maxMs: number } = bounds): number {
  const delay = Math.min(maxMs, minMs * 2 ** Math.min(attempts, 10))
  return delay / 2 + (Math.random() * delay) / 2
}
