import type { ServerResponse } from 'node:http'
import { type Outlet, watchMovement } from './outlet.ts'
import { drained } from './websocket.ts'

/** How long a subscriber waits before it comes again. */
const retryMs = 2_000
const heartbeat = Buffer.from(':\n\n')
/** How long what was said last may take to leave. */
const closeTimeoutMs = 2_000

/** What an answer with server-sent events begins with. @param cursor where it begins, so that a subscriber can resume before the first event */
export function sseHead(cursor: string): string {
  return `retry: ${retryMs}\nid: ${cursor}\n\n`
}

/**
 * A subscriber by server-sent events. There is no close code: the last event is `end` with `{"end": {"code", "reason"}}`.
 * @see https://html.spec.whatwg.org/multipage/server-sent-events.html
 */
export function sseOutlet(answer: ServerResponse, gone: AbortSignal): Outlet {
  let written = 0
  const isMoving = watchMovement(
    () => written,
    () => answer.writableLength,
  )
  const write = (bytes: Buffer) => {
    if (answer.writableEnded || answer.destroyed) return
    written += bytes.length
    answer.write(bytes)
  }
  return {
    encoding: 'sse',
    bufferedBytes: () => answer.writableLength,
    write,
    drained: () => drained(answer, gone),
    probe: () => write(heartbeat),
    isAlive: isMoving,
    end: (code, reason) => {
      write(Buffer.from(`event: end\ndata: ${JSON.stringify({ end: { code, reason } })}\n\n`))
      answer.end()
      setTimeout(() => answer.destroy(), closeTimeoutMs).unref()
    },
    destroy: () => answer.destroy(),
  }
}
