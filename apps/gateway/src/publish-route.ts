import type { Readable } from 'node:stream'
import { isJsonValue } from '@millrace/core/json'
import type { FastifyInstance, FastifyReply, FastifyRequest, RouteShorthandOptions } from 'fastify'
import { require } from './authentication.ts'
import { answeredTimesMax, createBatchAnswer } from './batch-answer.ts'
import { splitBatch } from './batch-body.ts'
import { openedBody, unknownEncoding } from './body-room.ts'
import { openBulkTime } from './bulk-time.ts'
import type { GatewayConfig } from './config.ts'
import { type Body, contentEncodingOf, openBody } from './content-encoding.ts'
import type { Ingest, Outcome } from './ingest.ts'
import { parseBody, parseInTurns } from './json-body.ts'
import { encodingOf, type Payload } from './payloads.ts'
import { bulk, mediaTypeOf } from './media-type.ts'
import { createPace } from './pace.ts'
import { problem, ProblemError, sendProblem } from './problem.ts'
import { publishLines } from './publish-bulk.ts'
import type { Submitted } from './submission.ts'
import { type Trace, traceOf } from './trace-context.ts'

type Bounds = Pick<
  GatewayConfig,
  'eventBytesMax' | 'batchBytesMax' | 'batchEventsMax' | 'bulkBytesMax' | 'bulkEventsMax'
>

/** `POST /v1/events`: one event in structured or binary mode, a batch, or a bulk load. */
export function publishRoute(app: FastifyInstance, ingest: Ingest, bounds: Bounds, stopping: AbortSignal): void {
  const options: RouteShorthandOptions = {
    bodyLimit: bounds.batchBytesMax,
    config: { access: ['events:write'], opensBodies: true },
    preParsing: (request, reply, payload, done) => {
      const opened = openRequest(request, reply, payload, bounds)
      if (opened instanceof ProblemError) done(opened)
      else done(null, opened)
    },
  }
  // In a scope of its own: elsewhere nobody takes a body that is not read yet.
  app.register((scope, _options, registered) => {
    scope.addContentTypeParser(bulk, (_request, payload, done) => done(null, payload))
    scope.post('/v1/events', options, async (request, reply) => {
      switch (modeOf(request)) {
        case 'bulk':
          return publishBulk(request, reply, ingest, bounds, stopping)
        case 'batch':
          return publishBatch(request, reply, ingest, bounds)
        case 'structured':
          return publishOne(request, reply, ingest, await parseBody(eventBody(request, bounds)))
        case 'binary':
          requireType(request)
          return publishOne(request, reply, ingest, await binaryEvent(request, eventBody(request, bounds)))
      }
    })
    registered()
  })
}

/** A bulk load is taken in while it arrives, and counts itself what it has under way. */
function openRequest(
  request: FastifyRequest,
  reply: FastifyReply,
  payload: Readable,
  { bulkBytesMax, batchBytesMax }: Bounds,
): Readable | ProblemError {
  const isBulk = mediaTypeOf(request.headers['content-type']) === bulk
  if (!isBulk) return openedBody(request, reply, payload, batchBytesMax)
  const encoding = contentEncodingOf(request.headers['content-encoding'])
  return encoding ? openBody(payload, encoding, bulkBytesMax, undefined) : unknownEncoding(reply)
}

async function publishOne(
  request: FastifyRequest,
  reply: FastifyReply,
  ingest: Ingest,
  submitted: Submitted,
): Promise<FastifyReply> {
  const outcome = await ingest.accept(submitted, request.identity, requestTrace(request))
  if (!('receipt' in outcome)) return sendProblem(reply, outcome.problem)
  return reply.code(outcome.status === 'duplicate' ? 200 : 201).send(outcome.receipt)
}

async function publishBulk(
  request: FastifyRequest,
  reply: FastifyReply,
  ingest: Ingest,
  bounds: Bounds,
  stopping: AbortSignal,
): Promise<FastifyReply> {
  const { body, identity, bodyShare: share } = request
  if (!isBody(body)) throw new ProblemError(problem(400, 'a bulk load is at least one event'))
  const { isOver, close } = openBulkTime(body, stopping)
  const load = { lines: body, isOver, share, identity, trace: requestTrace(request) }
  const answer = await publishLines(load, ingest, bounds).finally(close)
  return answer.send(reply)
}

async function publishBatch(
  request: FastifyRequest,
  reply: FastifyReply,
  ingest: Ingest,
  { batchEventsMax, eventBytesMax }: Bounds,
): Promise<FastifyReply> {
  const answeredMax = answeredTimesMax * batchEventsMax
  const batch = splitBatch(bodyOf(request), answeredMax)
  if (!batch) throw new ProblemError(problem(400, 'a batch is a JSON array of at least one event'))
  if (batch.count > answeredMax) {
    throw new ProblemError(problem(413, `a batch may have ${batchEventsMax} events, this has ${batch.count}`))
  }
  const trace = requestTrace(request)
  const tooMany = problem(413, `a batch may have ${batchEventsMax} events`)
  const tooLarge = problem(413, `an event may have ${eventBytesMax} bytes`)
  const publish = async (submitted: Submitted | undefined, index: number): Promise<Outcome> => {
    if (index >= batchEventsMax) return ingest.refuse(submitted, tooMany)
    return submitted ? ingest.accept(submitted, request.identity, trace) : ingest.refuse(undefined, tooLarge)
  }
  const events = await parsedEvents(batch.parts, eventBytesMax)
  const answer = createBatchAnswer()
  const outcomes = await Promise.all(await startedInTurns(events, publish))
  outcomes.forEach((outcome, index) => answer.put(index, outcome))
  return answer.send(reply)
}

/**
 * Each event by itself, before any is taken: a body that is no JSON is nobody's event. What is too large is not parsed.
 * @throws ProblemError 400
 */
async function parsedEvents(parts: readonly Buffer[], bytesMax: number): Promise<(Submitted | undefined)[]> {
  const events: (Submitted | undefined)[] = []
  const pace = createPace()
  for (const part of parts) {
    const parsing = part.length > bytesMax ? undefined : parseInTurns(part)
    const parsed = parsing instanceof Promise ? await parsing : parsing
    if (parsed?.ok === false) throw new ProblemError(problem(400, `the body ${parsed.detail}`))
    events.push(parsed)
    if (pace.isOver()) await pace.rest()
  }
  return events
}

/** Starts events in their order, and lets others have their turn in between. */
async function startedInTurns<T>(
  events: readonly T[],
  publish: (event: T, index: number) => Promise<Outcome>,
): Promise<Promise<Outcome>[]> {
  const started: Promise<Outcome>[] = []
  const pace = createPace()
  for (const [index, event] of events.entries()) {
    started.push(publish(event, index))
    if (pace.isOver()) await pace.rest()
  }
  return started
}

/** Media types of CloudEvents' HTTP binding, and of bulk loads. Anything else with `ce-` headers is the data itself. */
function modeOf(request: FastifyRequest): 'batch' | 'structured' | 'binary' | 'bulk' {
  const mediaType = mediaTypeOf(request.headers['content-type'])
  switch (mediaType) {
    case 'application/cloudevents-batch+json':
      return 'batch'
    case 'application/cloudevents+json':
      return 'structured'
    case bulk:
      return 'bulk'
  }
  if (encodingOf(mediaType) && Object.keys(request.headers).some((name) => name.startsWith('ce-'))) return 'binary'
  throw new ProblemError(
    problem(
      415,
      `send application/cloudevents+json, application/cloudevents-batch+json, ${bulk}, or application/json, application/avro or application/protobuf with ce- headers`,
    ),
  )
}

/**
 * The type of an event in binary mode is known before its body is parsed.
 * @throws ProblemError 403
 */
function requireType({ headers, identity }: FastifyRequest): void {
  const type = headers['ce-type']
  if (typeof type === 'string' && type !== '') require(identity, 'events:write', decoded(type))
}

async function binaryEvent(request: FastifyRequest, body: Buffer): Promise<Submitted> {
  const encoding = encodingOf(mediaTypeOf(request.headers['content-type'])) ?? 'json'
  return {
    attributes: attributesOf(request),
    payload: encoding === 'json' ? await jsonPayload(body) : { bytes: body, encoding },
  }
}

/** JSON in the registry's frame begins with a zero byte, which JSON itself never does. */
async function jsonPayload(body: Buffer): Promise<Payload> {
  if (body[0] === 0) return { bytes: body, encoding: 'json' }
  const { value, plain } = await parseBody(body)
  if (!isJsonValue(value)) throw new ProblemError(problem(400, 'the body is not JSON'))
  return { data: value, plain }
}

function requestTrace({ headers }: FastifyRequest): Trace | undefined {
  return traceOf({ traceparent: headers['traceparent'], tracestate: headers['tracestate'] })
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

/** @throws ProblemError 413 */
function eventBody(request: FastifyRequest, { eventBytesMax }: Bounds): Buffer {
  const body = bodyOf(request)
  if (body.length <= eventBytesMax) return body
  throw new ProblemError(problem(413, `an event may have ${eventBytesMax} bytes, this has ${body.length}`))
}

function bodyOf({ body }: FastifyRequest): Buffer {
  return Buffer.isBuffer(body) ? body : Buffer.alloc(0)
}

function isBody(body: unknown): body is Body {
  return typeof body === 'object' && body !== null && 'receivedEncodedLength' in body
}
