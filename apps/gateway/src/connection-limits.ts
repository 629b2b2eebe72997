/**
 * What a connection may do before there is a request that a route could answer. Node's parser is strict about framing (RFC 9112 §6.3,
 * §11.2: no two lengths, no length beside chunks, no folded headers); what it leaves to us is bounded here, and what it refuses is told
 * as a problem.
 */
import { createServer as createPlainServer, type RequestListener, type Server, type ServerOptions } from 'node:http'
import type { Duplex } from 'node:stream'
import { problem, problemText } from './problem.ts'
import type { Tls } from './tls.ts'

export type ConnectionLimits = {
  /** The request line and all headers: room for a token twice, and for what CloudEvents puts into headers. */
  readonly headerBytesMax: number
  readonly headersMax: number
  /** From the first byte of a request, or the handshake, to the last of its headers. */
  readonly headersTimeoutMs: number
  /** From the first byte of a request to the last of its body. */
  readonly requestTimeoutMs: number
  /** Longer than the idle time of load balancers (60 s), so that they and not we close a connection. */
  readonly keepAliveTimeoutMs: number
  /** So that clients come to a balancer again, which may have got new instances. */
  readonly requestsPerConnectionMax: number
  readonly connectionsMax: number
  /** Of the bodies of all requests under way. */
  readonly bodiesBytesMax: number
  /** How often connections are looked at for those whose time is up. */
  readonly checkMs: number
}

const defaults: ConnectionLimits = {
  headerBytesMax: 32_768,
  headersMax: 100,
  headersTimeoutMs: 10_000,
  requestTimeoutMs: 30_000,
  keepAliveTimeoutMs: 65_000,
  requestsPerConnectionMax: 10_000,
  connectionsMax: 10_000,
  bodiesBytesMax: 256 * 1_048_576,
  checkMs: 1_000,
}

export type ServerSettings = { readonly limits?: Partial<ConnectionLimits>; readonly tls?: Tls | undefined }
export type Refusal = 'too-many-connections' | 'malformed' | 'too-slow' | 'headers-too-large'

/** How far the request that a connection brought last has come. */
export type Progress = { readonly complete: boolean; readonly begun: boolean; readonly answered: boolean }

export function limitsOf({ limits }: ServerSettings): ConnectionLimits {
  return { ...defaults, ...limits }
}

/** A server that keeps the limits; it speaks TLS when there is a certificate. */
export function createHttpServer(limits: ConnectionLimits, tls: Tls | undefined, listener: RequestListener): Server {
  const options: ServerOptions = {
    maxHeaderSize: limits.headerBytesMax,
    headersTimeout: limits.headersTimeoutMs,
    requestTimeout: limits.requestTimeoutMs,
    keepAliveTimeout: limits.keepAliveTimeoutMs,
    connectionsCheckingInterval: limits.checkMs,
    insecureHTTPParser: false,
    // A header that is there twice is one that no route takes: two tokens are none.
    joinDuplicateHeaders: true,
    // Node would answer without a word; `connections.ts` says what is missing.
    requireHostHeader: false,
    // Anything else that asks for an upgrade is a plain request (RFC 9110 §7.8), whose body would be lost otherwise.
    shouldUpgradeCallback: ({ method, headers }) => method === 'GET' && headers.upgrade?.toLowerCase() === 'websocket',
  }
  const server = tls ? tls.createServer(options, listener) : createPlainServer(options, listener)
  server.maxConnections = limits.connectionsMax
  server.maxHeadersCount = limits.headersMax + 1 // one more than is good, so that it is seen
  return server
}

const refusals: Readonly<Record<string, { status: number; detail: string; refusal: Refusal }>> = {
  HPE_HEADER_OVERFLOW: { status: 431, detail: 'the headers are too large', refusal: 'headers-too-large' },
  HPE_CHUNK_EXTENSIONS_OVERFLOW: { status: 413, detail: 'the chunk extensions are too large', refusal: 'malformed' },
  ERR_HTTP_REQUEST_TIMEOUT: { status: 408, detail: 'the request took too long to arrive', refusal: 'too-slow' },
}
const malformed = { status: 400, detail: 'the request is not HTTP/1.1', refusal: 'malformed' } as const

/**
 * Answers what the parser refused and closes the connection. While an earlier request of the same connection waits for its answer,
 * nothing is said: the client would take it for that answer.
 */
export function refuseConnection(
  socket: Duplex,
  code: string | undefined,
  latest: Progress | undefined,
): Refusal | undefined {
  if (code === 'ECONNRESET' || socket.destroyed || socket.writableEnded) return undefined
  const { status, detail, refusal } = (code === undefined ? undefined : refusals[code]) ?? malformed
  const mistakable = latest !== undefined && !latest.answered && (latest.begun || latest.complete)
  if (mistakable || !socket.writable) socket.destroy()
  else socket.end(answerText(status, detail), () => socket.destroy())
  return refusal
}

/** A whole answer, for a connection that no route has. */
export function answerText(status: number, detail: string, headers: readonly string[] = []): string {
  const told = problem(status, detail)
  const body = problemText(told)
  const lines = [
    `HTTP/1.1 ${status} ${told.title}`,
    'content-type: application/problem+json; charset=utf-8',
    `content-length: ${Buffer.byteLength(body)}`,
    'cache-control: no-store',
    'x-content-type-options: nosniff',
    'connection: close',
    ...headers,
  ]
  return `${lines.join('\r\n')}\r\n\r\n${body}`
}
