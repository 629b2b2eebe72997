/** How far a topic of one partition was read, and who waits for it to be read further. */
export type Position = {
  readonly advance: (position: bigint) => void
  /** Resolves when the record at this offset was read. */
  readonly passed: (offset: bigint) => Promise<void>
}

export function createPosition(): Position {
  let next = 0n
  const waiting = new Map<() => void, bigint>()
  return {
    advance: (position) => {
      next = position
      for (const [resolve, offset] of waiting) if (offset < next && waiting.delete(resolve)) resolve()
    },
    passed: (offset) => (offset < next ? Promise.resolve() : new Promise((resolve) => waiting.set(resolve, offset))),
  }
}
