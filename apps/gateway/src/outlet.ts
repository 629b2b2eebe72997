import type { Encoding } from './frame.ts'

/** WebSocket close codes: RFC 6455 §7.4.1 and the registry that it founds; from 4000 on they are our own. */
export const closeCodes = { goingAway: 1001, failed: 1011, tryAgainLater: 1013, tokenExpired: 4401 } as const

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
  /** Whether the subscriber has given a sign of life since the last call: an answer, or that it takes what is sent. */
  readonly isAlive: () => boolean
  /** Says why, where the kind of stream can, and closes. */
  readonly end: (code: number, reason: string) => void
  /** Closes at once. */
  readonly destroy: () => void
}
