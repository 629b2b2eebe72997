/** HTTP as bytes on a socket, for what no client would send. */
import { connect, type Socket } from 'node:net'

export type Exchange = {
  /** The status of each answer that came, in order; an upgrade is 101. */
  readonly statuses: readonly number[]
  readonly text: string
  /** Whether the server closed the connection before the deadline. */
  readonly closed: boolean
}

export type ExchangeOptions = {
  /** Stop listening when this many answers have come; without it, when the connection is closed. */
  readonly answers?: number
  readonly deadlineMs?: number
  /** Sent one after the other, each after `pauseMs`, as slow clients do. */
  readonly trickle?: { readonly parts: readonly (string | Uint8Array)[]; readonly pauseMs: number }
  /** Tell the server that nothing more will come. */
  readonly halfClose?: boolean
}

/** Sends bytes and gathers what comes back. Nothing is lost when the server closes while it is still being sent to. */
export function exchange(url: string, bytes: string | Uint8Array, options: ExchangeOptions = {}): Promise<Exchange> {
  const { answers = Infinity, deadlineMs = 10_000, trickle, halfClose = false } = options
  const { hostname, port } = new URL(url)
  const socket = connect({ host: hostname, port: Number(port) })
  let text = ''
  return new Promise((resolve) => {
    const done = (closed: boolean) => {
      clearTimeout(deadline)
      socket.destroy()
      resolve({ statuses: statusesOf(text), text, closed })
    }
    const deadline = setTimeout(() => done(false), deadlineMs)
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1')
      if (statusesOf(text).length >= answers) done(false)
    })
    socket.on('error', () => undefined) // a reset: `close` follows
    socket.on('close', () => done(true))
    socket.on('connect', () => {
      socket.write(bytes)
      if (halfClose) socket.end()
      if (trickle) sendSlowly(socket, trickle.parts, trickle.pauseMs)
    })
  })
}

function sendSlowly(socket: Socket, parts: readonly (string | Uint8Array)[], pauseMs: number): void {
  const [first, ...rest] = parts
  if (first === undefined || socket.destroyed) return
  setTimeout(() => {
    if (!socket.writable) return
    socket.write(first)
    sendSlowly(socket, rest, pauseMs)
  }, pauseMs)
}

function statusesOf(text: string): number[] {
  return [...text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status))
}
