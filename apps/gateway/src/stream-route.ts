import type { ServerResponse } from 'node:http'
import websocket from '@fastify/websocket'
import type { Offsets } from '@millrace/kafka/admin'
import type { Reader } from '@millrace/kafka/reader'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import * as z from 'zod'
import { encodeCursor } from './cursor.ts'
import type { EventTypes } from './event-types.ts'
import { parseFilter } from './filter.ts'
import type { LiveTopics } from './live-topics.ts'
import { problem, ProblemError } from './problem.ts'
import { type From, parseFrom } from './read-position.ts'
import { readers, requireReadable, unknownTopicAsProblem } from './read-routes.ts'
import { sseHead, sseOutlet } from './sse.ts'
import type { StreamRequest, Streams } from './streams.ts'
import { isCovered } from './subscription.ts'
import type { Turns } from './turns.ts'
import { webSocketOutlet } from './websocket.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** What a live stream is asked for; set before its handler runs. */
    stream: StreamRequest | null
  }
}

export type StreamParts = {
  readonly eventTypes: EventTypes
  readonly liveTopics: LiveTopics
  readonly streams: Streams
  readonly reader: Reader
  readonly turns: Turns
}

const text = z.string()
const streamQuery = z
  .object({ topic: text.min(1), from: text.default('latest') })
  .catchall(z.union([text, z.array(text)]))
/** Subscribers say nothing, so a frame of theirs needs no room. */
const inboundBytesMax = 1_024

/**
 * `GET /v1/events/stream`: a WebSocket, or server-sent events, with one frame for each event and its cursor; `frame.ts` has the
 * other frames. `from` and, of SSE, `Last-Event-ID` say where to begin; all other parameters are a filter, see `parseFilter`.
 * Whoever resumes from the last cursor misses nothing and gets nothing twice. A stream ends when the token does.
 */
export async function streamRoute(app: FastifyInstance, parts: StreamParts): Promise<void> {
  const { streams } = parts
  await app.register(websocket, {
    options: {
      maxPayload: inboundBytesMax,
      handleProtocols: (protocols: Set<string>) => (protocols.has('bearer') ? 'bearer' : false),
    },
    // In the place of its own, which says nothing of why.
    preClose: (done: () => void) => {
      streams.stop()
      done()
    },
  })
  app.decorateRequest('stream', null)
  app.addHook('onSend', (request, reply, payload, done) => {
    // The client waits for another protocol on this connection.
    if (asksForWebSocket(request)) reply.header('connection', 'close')
    done(null, payload)
  })
  app.addHook('onResponse', (request, _reply, done) => {
    // Node has given the connection away, and the plugin knows nothing of a request that was refused before it came to its hook.
    if (asksForWebSocket(request)) request.raw.socket.destroy()
    done()
  })
  app.route({
    method: 'GET',
    url: '/v1/events/stream',
    // An answer without a body would never end.
    exposeHeadRoute: false,
    config: { access: readers },
    // Before the connection is upgraded: whoever is refused gets an answer in HTTP.
    preValidation: async (request) => {
      request.stream = await streamRequest(request, parts)
    },
    handler: (request, reply) => serveEvents(request, reply, streams),
    wsHandler: (socket, request) => {
      const gone = new AbortController()
      socket.on('close', () => gone.abort())
      socket.on('error', () => socket.terminate())
      if (request.stream)
        streams.start(request.stream, webSocketOutlet(socket, request.raw.socket, gone.signal), gone.signal)
    },
  })
}

function asksForWebSocket({ headers }: FastifyRequest): boolean {
  return headers.upgrade?.toLowerCase() === 'websocket'
}

function serveEvents(request: FastifyRequest, reply: FastifyReply, streams: Streams): void {
  const { stream } = request
  if (!stream) return
  const gone = new AbortController()
  const answer: ServerResponse = reply.raw
  answer.on('close', () => gone.abort())
  // The client may have gone while its place was looked for: then there is no `close` any more.
  if (answer.destroyed || answer.closed || request.raw.destroyed) gone.abort()
  reply.hijack()
  for (const [name, value] of Object.entries(reply.getHeaders())) if (value !== undefined) answer.setHeader(name, value)
  answer.writeHead(200, {
    'content-type': 'text/event-stream',
    'cache-control': 'no-store',
    connection: 'close', // nothing else can use it as long as the stream lasts
    'x-accel-buffering': 'no',
  })
  answer.write(sseHead(encodeCursor(stream.live.topic, stream.from ?? stream.live.next())))
  streams.start(stream, sseOutlet(answer, gone.signal), gone.signal)
}

/** @throws ProblemError 400 | 403 | 404 | 503 */
async function streamRequest(request: FastifyRequest, parts: StreamParts): Promise<StreamRequest> {
  const { headers } = request
  const query = streamQuery.safeParse(request.query)
  if (!query.success) throw refused('name a topic, as in ?topic=order.placed')
  const { topic, from, ...conditions } = query.data
  requireReadable(request.identity, topic, parts.eventTypes)
  if (!request.ws && !headers.accept?.includes('text/event-stream')) {
    throw refused(
      'a live stream is a WebSocket, or server-sent events: ask for the upgrade, or accept text/event-stream',
    )
  }
  const filter = parseFilter(conditions)
  if (!filter.ok) throw refused(filter.detail)
  const lastEventId = headers['last-event-id']
  const start = parseFrom(typeof lastEventId === 'string' && lastEventId !== '' ? lastEventId : from, topic)
  if (!start) throw refused(badFrom)
  if (parts.streams.isFull()) throw new ProblemError(problem(503, 'this instance has as many streams as it can'))
  const live = await parts.liveTopics.open(topic).catch(unknownTopicAsProblem)
  const offsets = await offsetsOf(start, topic, live.next(), parts)
  // That may have taken longer than a topic is followed for nobody.
  const still = await parts.liveTopics.open(topic).catch(unknownTopicAsProblem)
  return { live: still, from: offsets, filter: filter.filter, expiresAtMs: request.identity.expiresAtMs }
}

const badFrom = 'from is "latest", "earliest", an RFC 3339 time, or a cursor of this topic as an event came with it'

async function offsetsOf(
  from: From,
  topic: string,
  liveNext: Offsets,
  { reader, turns }: StreamParts,
): Promise<Offsets | undefined> {
  if (from === 'latest') return undefined
  if (from === 'earliest' || 'timestampMs' in from) return turns.take(() => reader.offsetsAt(topic, from))
  // What is ahead of this instance may be true at another, or nowhere.
  if (!isCovered(from.cursor, liveNext)) {
    const page = await turns.take(() => reader.readPage(topic, from.cursor, 1))
    if (page.found === 'nothing') throw refused(badFrom)
  }
  return from.cursor
}

function refused(detail: string): ProblemError {
  return new ProblemError(problem(400, detail))
}
