import { stack } from '@millrace/testkit/fixture'
import { onTestFinished } from 'vitest'
import * as z from 'zod'
import { itemShape } from './api.ts'

const { gatewayUrl } = stack()
const eventShape = itemShape.extend({ cursor: z.string() })
const gapShape = z.strictObject({ gap: z.strictObject({ count: z.int(), from: z.string(), to: z.string() }) })
const frameShape = z.union([eventShape, gapShape, z.strictObject({ cursor: z.string() })])

export type StreamedEvent = z.infer<typeof eventShape>

/** A subscriber by WebSocket; what it was sent is gathered until it leaves. */
export async function subscribe(query: string, authorization: string, url = gatewayUrl) {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/v1/events/stream?${query}`, { headers: { authorization } })
  onTestFinished(() => socket.close())
  const frames: z.infer<typeof frameShape>[] = []
  socket.addEventListener('message', ({ data }) => frames.push(frameShape.parse(JSON.parse(String(data)))))
  const closed = new Promise<{ code: number; reason: string }>((resolve) => socket.addEventListener('close', resolve))
  await new Promise<void>((resolve, reject) => {
    socket.addEventListener('open', () => resolve())
    socket.addEventListener('error', () => reject(new Error('not subscribed')))
  })
  const events = () => frames.flatMap((frame) => ('event' in frame ? [frame] : []))
  return { socket, closed, frames, events, ids: () => events().map(({ event }) => event['id']) }
}

type ServerSentEvent = {
  readonly id: string | undefined
  readonly event: string | undefined
  readonly data: string | undefined
}

/** A subscriber by server-sent events. */
export async function subscribeEvents(query: string, headers: Readonly<Record<string, string>>, url = gatewayUrl) {
  const leave = new AbortController()
  onTestFinished(() => leave.abort())
  const answer = await fetch(`${url}/v1/events/stream?${query}`, {
    headers: { accept: 'text/event-stream', ...headers },
    signal: leave.signal,
  })
  const received: ServerSentEvent[] = []
  const ended = gather(answer, received).catch(() => undefined)
  const events = () =>
    received.flatMap(({ event, data }) =>
      data !== undefined && event === undefined ? [eventShape.parse(JSON.parse(data))] : [],
    )
  return {
    answer,
    received,
    ended,
    events,
    ids: () => events().map(({ event }) => event['id']),
    leave: () => leave.abort(),
  }
}

async function gather({ body }: Response, received: ServerSentEvent[]): Promise<void> {
  let text = ''
  for await (const chunk of (body ?? new ReadableStream<Uint8Array>()).pipeThrough(new TextDecoderStream())) {
    text += chunk
    const blocks = text.split('\n\n')
    text = blocks.pop() ?? ''
    for (const block of blocks) {
      const field = (name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(block)?.[1]
      received.push({ id: field('id'), event: field('event'), data: field('data') })
    }
  }
}
