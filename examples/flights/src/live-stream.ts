import { setTimeout as delay } from 'node:timers/promises'

import { type MessageEvent, WebSocket } from 'undici'

import type { AccessToken } from '@millrace/ledger/access-token'

export type LiveStream = {
  /** Resolves when the gateway has taken the subscription for the first time. */
  readonly subscribed: Promise<void>
  /** How often the stream had to be opened again. What passed in between was not seen. */
  reconnects(): number
  close(): void
}

export type LiveStreamOptions = {
  readonly gatewayUrl: string
  readonly topic: string
  readonly token: AccessToken
  /** Receives the text of each frame, and the moment it came in, at `performance.now()`. */
  readonly onFrame: (text: string, atMs: number) => void
}

const reconnectMs = 500

/** Follows `GET /v1/events/stream` of a topic from now on, and subscribes again when the connection is lost. */
export function followTopic(options: LiveStreamOptions): LiveStream {
  const stop = new AbortController()
  const first = Promise.withResolvers<undefined>()
  let opened = 0
  const run = async (): Promise<void> => {
    while (!stop.signal.aborted) {
      await connection(options, stop.signal, () => {
        opened++
        first.resolve(undefined)
      })
      await delay(reconnectMs, undefined, { signal: stop.signal }).catch(() => undefined)
    }
  }
  void run()
  return {
    subscribed: first.promise,
    reconnects: () => Math.max(0, opened - 1),
    close: () => stop.abort(),
  }
}

/** One connection, from its opening until it is closed by either side. */
async function connection(options: LiveStreamOptions, signal: AbortSignal, onOpen: () => void): Promise<void> {
  const { gatewayUrl, topic, token, onFrame } = options
  const url = new URL('/v1/events/stream', gatewayUrl.replace(/^http/, 'ws'))
  url.searchParams.set('topic', topic)
  const jwt = await token.current().catch(() => undefined)
  if (jwt === undefined || signal.aborted) return
  const socket = new WebSocket(url, ['bearer', jwt])
  const closed = Promise.withResolvers<undefined>()
  const close = (): void => socket.close()
  signal.addEventListener('abort', close, { once: true })
  socket.addEventListener('open', onOpen)
  socket.addEventListener('message', (message: MessageEvent<unknown>) => {
    if (typeof message.data === 'string') onFrame(message.data, performance.now())
  })
  socket.addEventListener('error', () => {
    // A refused token and a lost connection look alike here; a new token costs little.
    token.renew()
    closed.resolve(undefined)
  })
  socket.addEventListener('close', () => closed.resolve(undefined))
  await closed.promise
  signal.removeEventListener('abort', close)
}
