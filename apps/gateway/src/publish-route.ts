import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { type Authenticate, requireSome, type Identity } from './authentication.ts'
import { bearerToken } from './bearer-token.ts'
import type { GatewayConfig } from './config.ts'
import type { Ingest, Outcome } from './ingest.ts'
import { parseJsonBody } from './json-body.ts'
import { problem, ProblemError, sendProblem } from './problem.ts'

/** Events past the bound are refused one by one, but no more of them than this many times the bound: each is a line of the answer. */
const answeredTimesMax = 10

type Bounds = Pick<GatewayConfig, 'eventBytesMax' | 'batchBytesMax' | 'batchEventsMax'>

/** `POST /v1/events`: one event in structured or binary mode, or a batch. */
export function publishRoute(app: FastifyInstance, authenticate: Authenticate, ingest: Ingest, bounds: Bounds): void {
  app.post('/v1/events', {
    bodyLimit: bounds.batchBytesMax,
    // Before the body is read.
    onRequest: async (request) => {
      const identity = await authenticate(bearerToken(request.headers.authorization))
      requireSome(identity, 'events:write')
      request.identity = identity
    },
    handler: async (request, reply) => {
      const { identity } = request
      const mode = modeOf(request)
      const body = bodyOf(request)
      if (mode === 'batch') return publishBatch(parseJsonBody(body), identity, request, reply, ingest, bounds)
      if (body.length > bounds.eventBytesMax) {
        throw new ProblemError(problem(413, `an event may have ${bounds.eventBytesMax} bytes, this has ${body.length}`))
      }
      const parsed = parseJsonBody(body)
      const value = mode === 'structured' ? parsed : { ...attributesOf(request), data: parsed }
      return answer(reply, await ingest.accept(value, identity, traceOf(request)))
    },
  })
}

function answer(reply: FastifyReply, outcome: Outcome): FastifyReply {
  return outcome.status === 'accepted' ? reply.code(201).send(outcome.receipt) : sendProblem(reply, outcome.problem)
}

async function publishBatch(
  parsed: unknown,
  identity: Identity,
  request: FastifyRequest,
  reply: FastifyReply,
  ingest: Ingest,
  { batchEventsMax }: Bounds,
): Promise<FastifyReply> {
  if (!Array.isArray(parsed) || parsed.length === 0) {
    throw new ProblemError(problem(400, 'a batch is a JSON array of at least one event'))
  }
  if (parsed.length > answeredTimesMax * batchEventsMax) {
    throw new ProblemError(problem(413, `a batch may have ${batchEventsMax} events, this has ${parsed.length}`))
  }
  const trace = traceOf(request)
  const tooMany = problem(413, `a batch may have ${batchEventsMax} events`)
  const outcomes = await Promise.all(
    parsed.map((value, index) =>
      index < batchEventsMax ? ingest.accept(value, identity, trace) : Promise.resolve(ingest.refuse(value, tooMany)),
    ),
  )
  const count = (status: Outcome['status']) => outcomes.filter((outcome) => outcome.status === status).length
  const [accepted, rejected, unconfirmed] = [count('accepted'), count('rejected'), count('unconfirmed')]
  if (unconfirmed > 0) reply.header('retry-after', '1')
  return reply
    .code(statusOf(outcomes.length, accepted, rejected, unconfirmed))
    .send({ accepted, rejected, unconfirmed, results: outcomes.map(resultOf) })
}

function statusOf(all: number, accepted: number, rejected: number, unconfirmed: number): number {
  if (accepted === all) return 200
  if (rejected === all) return 422
  return unconfirmed === all ? 503 : 207
}

function resultOf(outcome: Outcome, index: number): unknown {
  if (outcome.status !== 'accepted') return { index, id: outcome.id, status: outcome.status, problem: outcome.problem }
  const { id, status, topic, partition, offset } = outcome.receipt
  return { index, id, status, topic, partition, offset }
}

/** CloudEvents' HTTP binding: the batch's media type begins with that of a single event, so it is looked for first. */
function modeOf(request: FastifyRequest): 'batch' | 'structured' | 'binary' {
  const [mediaType = ''] = (request.headers['content-type'] ?? '').split(';')
  switch (mediaType.trim().toLowerCase()) {
    case 'application/cloudevents-batch+json':
      return 'batch'
    case 'application/cloudevents+json':
      return 'structured'
    case 'application/json':
      if (Object.keys(request.headers).some((name) => name.startsWith('ce-'))) return 'binary'
  }
  throw new ProblemError(
    problem(
      415,
      'send application/cloudevents+json, application/cloudevents-batch+json, or application/json with ce- headers',
    ),
  )
}

/** The attributes of an event in binary mode; header values may be percent-encoded (HTTP binding §3.1.3.2). */
function attributesOf(request: FastifyRequest): Record<string, string> {
  const attributes = Object.entries(request.headers).flatMap(([name, value]): [string, string][] =>
    name.startsWith('ce-') && typeof value === 'string' ? [[name.slice(3), decoded(value)]] : [],
  )
  return Object.fromEntries(attributes)
}

function decoded(value: string): string {
  try {
    return decodeURIComponent(value)
  } catch {
    return value
  }
}

const traceparent = /^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/

function traceOf({ headers }: FastifyRequest): ReadonlyMap<string, string> {
  const parent = headers['traceparent']
  if (typeof parent !== 'string' || !traceparent.test(parent)) return new Map()
  const state = headers['tracestate']
  return new Map([['traceparent', parent], ...(typeof state === 'string' ? [['tracestate', state] as const] : [])])
}

function bodyOf({ body }: FastifyRequest): Buffer {
  return Buffer.isBuffer(body) ? body : Buffer.alloc(0)
}
