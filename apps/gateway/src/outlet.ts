import type { Encoding } from './frame.ts'

/** WebSocket close codes: RFC 6455 §7.4.1 and the registry that it founds; from 4000 on they are our own. */
export const closeCodes = { goingAway: 1001, failed: 1011, tryAgainLater: 1013, tokenExpired: 4401 } as const

/**
 * Says whether a connection takes what is written to it: false when bytes wait now as they did when it was asked last, and none has left
 * meanwhile. Whoever does not read can still answer a ping that it has not seen.
 */
export function watchMovement(written: () => number, waiting: () => number): () => boolean {
  let before = { waiting: 0, left: 0 }
  return () => {
    const now = { waiting: waiting(), left: written() - waiting() }
    const isStuck = before.waiting > 0 && now.waiting > 0 && now.left <= before.left
    before = now
    return !isStuck
  }
}

/** The end of a stream that leads to its subscriber. */
export type Outlet = {
  readonly encoding: Encoding
  /** What was written and has not left yet. */
  readonly bufferedBytes: () => number
  readonly write: (bytes: Buffer) => void
  /** Fulfilled when all has left that was written, or the subscriber has gone. */
  readonly drained: () => Promise<void>
  /** Asks for a sign of life, or gives one. */
  readonly probe: () => void
  /** Whether the subscriber has given a sign of life since the last call: an answer, where it can give one, and that it takes what is sent. */
  readonly isAlive: () => boolean
  /** Says why, where the kind of stream can, and closes. */
  readonly end: (code: number, reason: string) => void
  /** Closes at once. */
  readonly destroy: () => void
}
