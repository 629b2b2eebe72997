import type { Duplex } from 'node:stream'
import websocket, { type WebSocket } from '@fastify/websocket'
import type { FastifyInstance, RouteShorthandOptions } from 'fastify'
import * as z from 'zod'
import type { Authenticate } from './authentication.ts'
import { bearerToken, subprotocolToken } from './bearer-token.ts'
import type { EventTypes } from './event-types.ts'
import type { LiveTopics, Socket } from './live-topics.ts'
import { problem, ProblemError } from './problem.ts'
import { requireReadable, unknownTopicAsProblem } from './read-routes.ts'

const streamQuery = z.strictObject({ topic: z.string(), from: z.literal('latest').default('latest') })
/** Subscribers say nothing, so a frame of theirs needs no room. */
const inboundBytesMax = 1_024
const tokenExpired = 4401
/** The longest time that a timer can wait. */
const timerMsMax = 2 ** 31 - 1

/** `GET /v1/events/stream`: a WebSocket with one text frame for each event. Ends when the token does. */
export async function streamRoute(
  app: FastifyInstance,
  authenticate: Authenticate,
  eventTypes: EventTypes,
  liveTopics: LiveTopics,
): Promise<void> {
  await app.register(websocket, {
    options: {
      maxPayload: inboundBytesMax,
      handleProtocols: (protocols: Set<string>) => (protocols.has('bearer') ? 'bearer' : false),
    },
  })
  const options: RouteShorthandOptions = {
    // Before the connection is upgraded: whoever is refused gets an answer in HTTP.
    preValidation: async (request) => {
      const { headers } = request
      const token = bearerToken(headers.authorization) ?? subprotocolToken(headers['sec-websocket-protocol'])
      request.identity = await authenticate(token)
      const query = streamQuery.safeParse(request.query)
      if (!query.success)
        throw new ProblemError(problem(400, 'name a topic, as in ?topic=order.placed; from is "latest"'))
      const { topic } = query.data
      requireReadable(request.identity, topic, eventTypes)
      if (headers.upgrade?.toLowerCase() !== 'websocket') {
        throw new ProblemError(problem(400, 'a live stream is a WebSocket: ask for the upgrade'))
      }
      await liveTopics.follow(topic).catch(unknownTopicAsProblem)
    },
  }
  app.get('/v1/events/stream', { ...options, websocket: true }, (socket, request) => {
    const { topic } = streamQuery.parse(request.query)
    const detach = liveTopics.subscribe(topic, corkable(socket, request.raw.socket))
    const lifetimeMs = Math.min(request.identity.expiresAtMs - Date.now(), timerMsMax)
    const expiry = setTimeout(() => socket.close(tokenExpired, 'the token has expired'), lifetimeMs)
    socket.on('close', () => {
      clearTimeout(expiry)
      detach()
    })
    socket.on('error', detach)
  })
}

/** `ws` writes each frame by itself; the connection under it can gather them. */
function corkable(socket: WebSocket, connection: Duplex): Socket {
  return {
    get bufferedAmount() {
      return socket.bufferedAmount
    },
    send: (frame) => {
      socket.send(frame)
    },
    close: (code, reason) => {
      socket.close(code, reason)
    },
    cork: () => {
      connection.cork()
    },
    uncork: () => {
      connection.uncork()
    },
  }
}
