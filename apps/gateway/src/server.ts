import { MillraceError } from '@millrace/core/errors'
import type { Logger } from '@millrace/service/logger'
import {
  fastify,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  type onRequestHookHandler,
} from 'fastify'
import type { Identity } from './authentication.ts'
import { BodyRoom, boundBodies } from './body-room.ts'
import { answerText, createHttpServer, limitsOf, refuseConnection, type ServerSettings } from './connection-limits.ts'
import { createConnections } from './connections.ts'
import { answerExpectations } from './expectation.ts'
import type { GatewayMetrics } from './metrics.ts'
import { neverKept, problem, ProblemError, sendProblem } from './problem.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** Whom the token of the request names; set before a handler runs. */
    identity: Identity
  }
}

/** A fastify instance with what all routes share: bounded connections, bodies as bytes, problems as answers, every request measured. */
export function createServer(metrics: GatewayMetrics, logger: Logger, settings: ServerSettings = {}): FastifyInstance {
  const limits = limitsOf(settings)
  const connections = createConnections(limits)
  const app = fastify({
    logger: false,
    // No URL is longer: a name that is too long is told so by its route, to whoever has a token.
    routerOptions: { maxParamLength: limits.headerBytesMax },
    serverFactory: (listener) => createHttpServer(limits, settings.tls, listener),
    clientErrorHandler: ({ code }, socket) => {
      const refusal = refuseConnection(socket, code, connections.progressOf(socket))
      if (refusal) metrics.connectionsRefused.inc({ reason: refusal })
    },
    // Ours is a problem: see `refuseWhileClosing`.
    return503OnClosing: false,
    // A URL that cannot be read fails before there is a route whose error handler could answer.
    frameworkErrors: (error, _request, reply) =>
      void sendProblem(reply, problem(error.statusCode ?? 400, error.message)),
  })
  app.decorateRequest('identity')
  guardConnections(app, metrics)
  app.addHook('onRequest', connections.onRequest)
  refuseWhileClosing(app)
  const bodyRoom = new BodyRoom(limits.bodiesBytesMax)
  metrics.watchBodyBytes(() => bodyRoom.taken)
  boundBodies(app, bodyRoom)
  answerExpectations(app, app.server, (request, response) => app.routing(request, response))
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body))
  app.setNotFoundHandler((request, reply) => answerNoRoute(app, request, reply))
  app.setErrorHandler((error, request, reply) => {
    // No route takes QUERY: fastify asks for the media type of its body before it looks for one.
    if (isMissingMediaType(error)) return answerNoRoute(app, request, reply)
    if (error instanceof ProblemError) return sendProblem(reply, error.problem)
    if (error instanceof MillraceError && error.retryable) return sendProblem(reply, problem(503, error.message))
    const status = statusOf(error)
    // fastify would close the connection while the client still sends, who would see a reset instead of this answer. Node reads
    // the rest of the body and throws it away, for `requestTimeoutMs` at most.
    if (status === 413) reply.removeHeader('connection')
    if (status !== undefined && status < 500) return sendProblem(reply, problem(status, messageOf(error)))
    logger.error({ err: error }, 'a request failed')
    return sendProblem(reply, problem(500, 'something went wrong here: the log has it'))
  })
  app.addHook('onResponse', (request, reply, done) => {
    const route = request.routeOptions.url ?? 'unknown'
    const labels = { method: request.method, route, status: String(reply.statusCode) }
    metrics.requestDuration.observe(labels, reply.elapsedTime / 1_000)
    done()
  })
  return app
}

function guardConnections({ server }: FastifyInstance, metrics: GatewayMetrics): void {
  server.on('drop', () => metrics.connectionsRefused.inc({ reason: 'too-many-connections' }))
  server.on('connect', (_request, socket) => {
    socket.on('error', () => socket.destroy())
    socket.end(answerText(405, 'this is no proxy'))
  })
}

/** Requests that come while the server closes are still answered, and told to go elsewhere. */
function refuseWhileClosing(app: FastifyInstance): void {
  let closing = false
  app.addHook('preClose', (done) => {
    closing = true
    done()
  })
  const refuse: onRequestHookHandler = (_request, _reply, done) => {
    done(closing ? new ProblemError(problem(503, 'this instance is stopping: send it again')) : undefined)
  }
  app.addHook('onRequest', refuse)
  // Its body may have taken so long to arrive that there is no time left to do what it asks for.
  app.addHook('preHandler', refuse)
  app.addHook('onSend', (_request, reply, payload, done) => {
    // What is under way now would keep its connection open, and the server with it, until the client goes.
    if (closing) reply.header('connection', 'close')
    if (!reply.hasHeader('cache-control')) reply.headers(neverKept)
    done(null, payload)
  })
}

function answerNoRoute(app: FastifyInstance, { method, url }: FastifyRequest, reply: FastifyReply): FastifyReply {
  const allowed = allowedMethods(app, url)
  if (allowed.length === 0) return sendProblem(reply, problem(404, `there is no ${method} ${url}`))
  reply.header('allow', allowed.join(', '))
  return sendProblem(reply, problem(405, `${method} is not for this route: it takes ${allowed.join(', ')}`))
}

function allowedMethods(app: FastifyInstance, url: string): string[] {
  const [path = ''] = url.split('?')
  return app.supportedMethods.filter((method) => {
    const route: unknown = app.findRoute({ method, url: path }) // null where there is none, whatever its type says
    return route !== null
  })
}

function isMissingMediaType(error: unknown): boolean {
  return (
    typeof error === 'object' &&
    error !== null &&
    'code' in error &&
    error.code === 'FST_ERR_ROUTE_MISSING_CONTENT_TYPE'
  )
}

/** fastify's own errors (a body too large, a media type that it cannot take) carry their status. */
function statusOf(error: unknown): number | undefined {
  return typeof error === 'object' && error !== null && 'statusCode' in error && typeof error.statusCode === 'number'
    ? error.statusCode
    : undefined
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : 'the request cannot be answered'
}
