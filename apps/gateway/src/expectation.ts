/** `Expect: 100-continue` (RFC 9110 §10.1.1): the body is asked for only when nothing but the body is missing. */
import type { IncomingMessage, RequestListener, Server } from 'node:http'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { bulk, mediaTypeOf } from './media-type.ts'
import { problem, problemText } from './problem.ts'

const contentType = 'application/problem+json; charset=utf-8'

export function answerExpectations(app: FastifyInstance, server: Server, listener: RequestListener): void {
  const waiting = new WeakSet<IncomingMessage>()
  server.on('checkContinue', (request, response) => {
    waiting.add(request)
    listener(request, response)
  })
  server.on('checkExpectation', (_request, response) => {
    const told = problem(417, 'the only expectation that is met is 100-continue')
    response.writeHead(417, { 'content-type': contentType, 'cache-control': 'no-store', connection: 'close' })
    response.end(problemText(told))
  })
  // After the checks of `onRequest`: token, scope, rate.
  app.addHook('preParsing', (request, reply, _payload, done) => {
    if (waiting.has(request.raw) && mayFit(request)) {
      waiting.delete(request.raw)
      reply.raw.writeContinue()
    }
    done()
  })
  app.addHook('onSend', (request, reply, payload, done) => {
    // Its body may or may not come now, so that nothing after it could be told from it.
    if (waiting.has(request.raw)) reply.header('connection', 'close')
    done(null, payload)
  })
}

/** Whether a body is not known to be too large. A bulk load has bounds of its own, which are kept while it is read. */
function mayFit({ headers, routeOptions }: FastifyRequest): boolean {
  return (
    mediaTypeOf(headers['content-type']) === bulk || Number(headers['content-length'] ?? 0) <= routeOptions.bodyLimit
  )
}
