/** What is known of each connection that brings requests. */
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import type { FastifyReply, onRequestHookHandler } from 'fastify'
import type { ConnectionLimits, Progress } from './connection-limits.ts'
import { type Problem, problem, ProblemError } from './problem.ts'

type Connection = { requests: number; latest: FastifyReply; closing: boolean }

export type Connections = {
  /** Takes a request only when its framing cannot be read in two ways, and none after the one that ends the connection. */
  readonly onRequest: onRequestHookHandler
  readonly progressOf: (socket: Duplex) => Progress | undefined
}

export function createConnections(
  limits: Pick<ConnectionLimits, 'headersMax' | 'requestsPerConnectionMax'>,
): Connections {
  const connections = new WeakMap<Duplex, Connection>()

  function connectionOf(socket: Duplex, reply: FastifyReply): Connection {
    const known = connections.get(socket)
    if (known) return known
    const connection = { requests: 0, latest: reply, closing: false }
    connections.set(socket, connection)
    return connection
  }

  return {
    onRequest: (request, reply, done) => {
      const connection = connectionOf(request.raw.socket, reply)
      if (connection.closing) {
        // Sent before the client knew that the connection ends: not run, and so not answered (RFC 9112 §9.6).
        reply.hijack()
        if (connection.latest.raw.writableFinished) request.raw.socket.destroy()
        return
      }
      connection.requests += 1
      connection.latest = reply
      const told = framingProblem(request.raw, limits.headersMax)
      if (told || connection.requests >= limits.requestsPerConnectionMax) {
        connection.closing = true
        reply.header('connection', 'close')
      }
      done(told && new ProblemError(told))
    },
    progressOf: (socket) => {
      const reply = connections.get(socket)?.latest
      if (!reply) return undefined
      return {
        complete: reply.request.raw.complete,
        begun: reply.raw.headersSent,
        answered: reply.raw.writableFinished,
      }
    },
  }
}

/** What is wrong with how a request is written, though the parser took it. */
function framingProblem(
  { rawHeaders, headers, httpVersion }: IncomingMessage,
  headersMax: number,
): Problem | undefined {
  if (rawHeaders.length > 2 * headersMax) return problem(431, `a request may have ${headersMax} headers`)
  const { host, 'transfer-encoding': coding } = headers
  // The parser takes a request line without a version for HTTP/0.9.
  if (httpVersion !== '1.1' && httpVersion !== '1.0') return problem(400, 'the gateway speaks HTTP/1.1')
  if (host === undefined ? httpVersion !== '1.0' : !/^(\[[0-9a-f:.]+\]|[\w.-]+)(:\d{1,5})?$/i.test(host)) {
    return problem(400, 'the Host header must name one host')
  }
  if (coding !== undefined && (httpVersion === '1.0' || coding.toLowerCase() !== 'chunked')) {
    return problem(400, 'the only transfer coding is chunked, in HTTP/1.1')
  }
  return undefined
}
