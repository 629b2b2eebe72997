import type { Duplex } from 'node:stream'
import type { WebSocket } from '@fastify/websocket'
import { type Outlet, watchMovement } from './outlet.ts'

/** How long a subscriber may take to answer that the stream is closed. */
const closeTimeoutMs = 2_000
/** Subscribers have nothing to say: so many frames may come between two heartbeats, pings and pongs among them. */
const inboundFramesMax = 64
const policyViolation = 1008
/** How long a close frame's reason may be in bytes. @see RFC 6455 §5.5 */
const reasonBytesMax = 123

/**
 * A subscriber by WebSocket. Frames are written to the connection as they are, beside `ws`, which would make each anew for each
 * subscriber: the connection carries no extension that a frame would have to go through, and whole frames may follow each other.
 */
export function webSocketOutlet(socket: WebSocket, connection: Duplex, gone: AbortSignal): Outlet {
  let inbound = 0
  let hasAnswered = true
  let leftBefore = 0
  const isOpen = () => socket.readyState === socket.OPEN
  const heard = () => {
    hasAnswered = true
    inbound += 1
    if (inbound > inboundFramesMax) socket.close(policyViolation, 'a subscriber has nothing to say')
  }
  for (const sign of ['message', 'ping', 'pong'] as const) socket.on(sign, heard)
  let written = 0
  const left = () => written - connection.writableLength
  const isMoving = watchMovement(
    () => written,
    () => connection.writableLength,
  )
  return {
    encoding: 'websocket',
    bufferedBytes: () => connection.writableLength,
    write: (bytes) => {
      if (!isOpen()) return
      written += bytes.length
      connection.write(bytes)
    },
    drained: () => drained(connection, gone),
    probe: () => {
      inbound = 0
      if (isOpen()) socket.ping()
    },
    isAlive: () => {
      const isAlive = isMoving() && (hasAnswered || left() > leftBefore)
      hasAnswered = false
      leftBefore = left()
      return isAlive
    },
    end: (code, reason) => {
      socket.close(code, Buffer.from(reason).subarray(0, reasonBytesMax))
      setTimeout(() => socket.terminate(), closeTimeoutMs).unref()
    },
    destroy: () => socket.terminate(),
  }
}

/** Fulfilled when a connection has taken all that was written to it, or its reader has gone. */
export function drained(
  stream: {
    readonly writableLength: number
    once: (event: 'drain', listener: () => void) => unknown
    off: (event: 'drain', listener: () => void) => unknown
    readonly writableNeedDrain: boolean
  },
  gone: AbortSignal,
): Promise<void> {
  if (!stream.writableNeedDrain || gone.aborted) return Promise.resolve()
  return new Promise((resolve) => {
    const done = () => {
      stream.off('drain', done)
      gone.removeEventListener('abort', done)
      resolve()
    }
    stream.once('drain', done)
    gone.addEventListener('abort', done, { once: true })
  })
}
