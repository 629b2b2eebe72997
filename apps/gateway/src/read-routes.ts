import type { Offsets } from '@millrace/kafka/admin'
import type { Page, Reader } from '@millrace/kafka/reader'
import { MillraceError } from '@millrace/core/errors'
import type { FastifyInstance } from 'fastify'
import * as z from 'zod'
import { type Identity, require } from './authentication.ts'
import { encodeCursor } from './cursor.ts'
import type { ItemsOf } from './event-item.ts'
import type { EventTypes } from './event-types.ts'
import { type Problem, problem, ProblemError } from './problem.ts'
import { type From, parseFrom } from './read-position.ts'
import type { Turns } from './turns.ts'

const limitDefault = 50
const limitMax = 1_000

export const limitParameter = z.coerce.number().int().min(1).max(limitMax).default(limitDefault)
const latestQuery = z.strictObject({ topic: z.string().optional(), type: z.string().optional(), limit: limitParameter })
const pageQuery = z.strictObject({
  topic: z.string().optional(),
  from: z.string().default('earliest'),
  limit: limitParameter,
})

/** Who may read nothing at all is told nothing of which topics there are. */
export const readers = ['events:read', 'dlq:read'] as const

/** `GET /v1/events` and `GET /v1/events/latest`. */
export function readRoutes(
  app: FastifyInstance,
  eventTypes: EventTypes,
  reader: Reader,
  itemsOf: ItemsOf,
  turns: Turns,
): void {
  app.get('/v1/events/latest', { config: { access: readers } }, async (request) => {
    const query = latestQuery.safeParse(request.query)
    if (!query.success) throw new ProblemError(problem(400, queryDetail(query.error)))
    const { limit, type } = query.data
    const topic = query.data.topic ?? (type === undefined ? undefined : (eventTypes.find(type)?.topic ?? type))
    requireReadable(request.identity, topic, eventTypes)
    return turns.take(async () => {
      const { records, next } = await reader.readLatest(topic, limit).catch(unknownTopicAsProblem)
      return { topic, events: await itemsOf(records), cursor: encodeCursor(topic, next) }
    })
  })

  app.get('/v1/events', { config: { access: readers } }, async (request) => {
    const query = pageQuery.safeParse(request.query)
    if (!query.success) throw new ProblemError(problem(400, queryDetail(query.error)))
    const { topic, limit } = query.data
    requireReadable(request.identity, topic, eventTypes)
    const from = parseFrom(query.data.from, topic)
    if (from === undefined || from === 'latest') throw new ProblemError(problem(400, badFrom))
    return turns.take(async () => {
      const { records, next } = await pageFrom(reader, topic, from, limit).catch(unknownTopicAsProblem)
      const cursor = encodeCursor(topic, next)
      return { topic, events: await itemsOf(records), cursor, next: cursor }
    })
  })
}

export const badFrom = 'from is "earliest", an RFC 3339 time, or a cursor of this topic as an answer gave it'
/** Retention may take records between the look for where they begin and the reading. */
const startsMax = 3

/**
 * What a topic has from a place on, up to offsets by partition where these are given.
 * @throws ProblemError 410 behind retention, 400 for a place that the topic never had
 */
export async function pageFrom(
  reader: Reader,
  topic: string,
  from: Exclude<From, 'latest'>,
  limit: number,
  upTo?: Offsets,
): Promise<Extract<Page, { found: 'records' }>> {
  const isCursor = typeof from === 'object' && 'cursor' in from
  let start = isCursor ? from.cursor : await reader.offsetsAt(topic, from)
  for (let attempt = 1; ; attempt++) {
    const page = await reader.readPage(topic, start, limit, upTo)
    if (page.found === 'records') return page
    if (page.found === 'nothing') throw new ProblemError(problem(400, badFrom))
    if (isCursor || attempt === startsMax) throw new ProblemError(gone(topic, page))
    start = page.next
  }
}

function gone(topic: string, { gaps, next }: Extract<Page, { found: 'gap' }>): Problem {
  const count = gaps.reduce((sum, { from, to }) => sum + (to - from), 0n)
  const detail = `up to ${count} events from there on are gone: retention took them. Go on from "earliest", a cursor`
  return problem(410, detail, { earliest: encodeCursor(topic, next) })
}

/**
 * Reading a topic needs the scope for every type mapped to it; internal and unknown topics look the same.
 * @throws ProblemError 400 | 403 | 404
 */
export function requireReadable(
  identity: Identity,
  topic: string | undefined,
  eventTypes: EventTypes,
): asserts topic is string {
  if (topic === undefined || topic === '')
    throw new ProblemError(problem(400, 'name a topic, as in ?topic=order.placed'))
  const readable = eventTypes.readable(topic)
  if (!readable) throw new ProblemError(problem(404, `there is no topic "${topic}"`))
  for (const type of readable.types) require(identity, readable.action, type)
}

export function queryDetail({ issues }: z.ZodError): string {
  return issues.map(({ path, message }) => [...path, message].join(': ')).join('; ')
}

export function unknownTopicAsProblem(error: unknown): never {
  if (error instanceof MillraceError && error.code === 'kafka.unknown-topic') {
    throw new ProblemError(problem(404, error.message))
  }
  throw error
}
