import type { Reader } from '@millrace/kafka/reader'
import { MillraceError } from '@millrace/core/errors'
import type { FastifyInstance } from 'fastify'
import * as z from 'zod'
import { type Authenticate, type Identity, require, requireSome } from './authentication.ts'
import { bearerToken } from './bearer-token.ts'
import { cursorOf, itemOf } from './event-item.ts'
import type { EventTypes } from './event-types.ts'
import { problem, ProblemError } from './problem.ts'

const limitDefault = 50
const limitMax = 1_000

const latestQuery = z.strictObject({
  topic: z.string().optional(),
  type: z.string().optional(),
  limit: z.coerce.number().int().min(1).max(limitMax).default(limitDefault),
})

/** `GET /v1/events/latest` and the catalog. */
export function readRoutes(
  app: FastifyInstance,
  authenticate: Authenticate,
  eventTypes: EventTypes,
  reader: Reader,
): void {
  app.get('/v1/events/latest', async (request) => {
    const identity = await authenticate(bearerToken(request.headers.authorization))
    const query = latestQuery.safeParse(request.query)
    if (!query.success) throw new ProblemError(problem(400, queryDetail(query.error)))
    const { limit, type } = query.data
    const topic = query.data.topic ?? (type === undefined ? undefined : (eventTypes.find(type)?.topic ?? type))
    requireReadable(identity, topic, eventTypes)
    const { records, next } = await reader.readLatest(topic, limit).catch(unknownTopicAsProblem)
    return { topic, events: records.map(itemOf), cursor: cursorOf(topic, next) }
  })

  app.get('/v1/event-types', async (request) => {
    require(await authenticate(bearerToken(request.headers.authorization)), 'catalog:read')
    return { eventTypes: eventTypes.all() }
  })

  app.get<{ Params: { type: string } }>('/v1/event-types/:type', async (request) => {
    require(await authenticate(bearerToken(request.headers.authorization)), 'catalog:read')
    const entry = eventTypes.find(request.params.type)
    if (!entry) throw new ProblemError(problem(404, `there is no event type "${request.params.type}"`))
    return entry
  })
}

/**
 * Reading a topic needs the scope for every type mapped to it; internal and unknown topics look the same.
 * Without a scope to read anything, nothing is told of which topics there are.
 * @throws ProblemError 400 | 403 | 404
 */
export function requireReadable(
  identity: Identity,
  topic: string | undefined,
  eventTypes: EventTypes,
): asserts topic is string {
  requireSome(identity, 'events:read', 'dlq:read')
  if (topic === undefined || topic === '')
    throw new ProblemError(problem(400, 'name a topic, as in ?topic=order.placed'))
  const readable = eventTypes.readable(topic)
  if (!readable) throw new ProblemError(problem(404, `there is no topic "${topic}"`))
  for (const type of readable.types) require(identity, readable.action, type)
}

function queryDetail({ issues }: z.ZodError): string {
  return issues.map(({ path, message }) => [...path, message].join(': ')).join('; ')
}

export function unknownTopicAsProblem(error: unknown): never {
  if (error instanceof MillraceError && error.code === 'kafka.unknown-topic') {
    throw new ProblemError(problem(404, error.message))
  }
  throw error
}
