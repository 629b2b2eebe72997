/** `GET /v1/dead-letters` and `POST /v1/dead-letters/replay`. */
import { readDeadLetter } from '@millrace/core/read-dead-letter'
import { deadLetterTopic } from '@millrace/core/topic-name'
import type { Reader } from '@millrace/kafka/reader'
import type { Logger } from '@millrace/service/logger'
import type { FastifyInstance } from 'fastify'
import * as z from 'zod'
import { type Identity, require } from './authentication.ts'
import { encodeCursor } from './cursor.ts'
import { createDeadLetterItems, type DeadLetterItem } from './dead-letter-item.ts'
import { scan } from './dead-letter-scan.ts'
import type { EventTypes } from './event-types.ts'
import { parseBody } from './json-body.ts'
import { mediaTypeOf } from './media-type.ts'
import type { Payloads } from './payloads.ts'
import { problem, ProblemError } from './problem.ts'
import { badFrom, limitParameter, queryDetail, unknownTopicAsProblem } from './read-routes.ts'
import { type From, parseFrom } from './read-position.ts'
import { replay, type ReplayParts } from './replay.ts'
import { parseReplayBody, reasonParameter } from './replay-body.ts'
import { createTurns, type Turns } from './turns.ts'

const listQuery = z.strictObject({
  topic: z.string().optional(),
  type: z.string().optional(),
  reason: reasonParameter.optional(),
  id: z.string().optional(),
  from: z.string().default('earliest'),
  limit: limitParameter,
})

const bounds = { recordsMax: 10_000, timeMsMax: 4_000 } as const
const bodyBytesMax = 131_072
/** Replays are rare, and each may take as long as its bounds allow. */
const turnsOfReplays = { atOnceMax: 1, waitingMax: 8, waitMsMax: 10_000 } as const

export type DeadLetterRoutes = {
  readonly eventTypes: EventTypes
  readonly payloads: Payloads
  readonly reader: Reader
  readonly turns: Turns
  readonly replays: ReplayParts
  readonly logger: Pick<Logger, 'info'>
}

export function deadLetterRoutes(app: FastifyInstance, routes: DeadLetterRoutes): void {
  const { eventTypes, payloads, reader, turns, replays, logger } = routes
  const itemOf = createDeadLetterItems(eventTypes, payloads.read)

  app.get('/v1/dead-letters', { config: { access: ['dlq:read'] } }, async (request) => {
    const query = listQuery.safeParse(request.query)
    if (!query.success) throw new ProblemError(problem(400, queryDetail(query.error)))
    const { reason, id, limit, type } = query.data
    const named = query.data.topic ?? (type === undefined ? undefined : (eventTypes.find(type)?.topic ?? type))
    const topic = allowedTopic(request.identity, 'dlq:read', named, eventTypes)
    const letters = deadLetterTopic(topic)
    const from = placeOf(query.data.from, letters)
    return turns.take(async () => {
      const shown: Promise<DeadLetterItem>[] = []
      const { next, atEnd } = await scan(
        reader,
        letters,
        from,
        (record) => {
          const isWanted =
            (reason === undefined || readDeadLetter(topic, record).reason === reason) &&
            (id === undefined || record.headers.get('ce_id') === id)
          if (isWanted) shown.push(itemOf(topic, record))
          return shown.length < limit ? 'more' : 'enough'
        },
        bounds,
      ).catch(unknownTopicAsProblem)
      return { topic, deadLetters: await Promise.all(shown), next: encodeCursor(letters, next), atEnd }
    })
  })

  const replayTurns = createTurns(turnsOfReplays)
  app.post('/v1/dead-letters/replay', {
    bodyLimit: bodyBytesMax,
    config: { access: ['dlq:replay'] },
    handler: async ({ identity, headers, body }) => {
      if (mediaTypeOf(headers['content-type']) !== 'application/json') {
        throw new ProblemError(problem(415, 'send a replay as application/json'))
      }
      const { value } = await parseBody(Buffer.isBuffer(body) ? body : Buffer.alloc(0))
      const { topic: named, from = 'earliest', ...wanted } = parseReplayBody(value)
      const topic = allowedTopic(identity, 'dlq:replay', named, eventTypes)
      const place = placeOf(from, deadLetterTopic(topic))
      const answer = await replayTurns.take(() => replay(topic, place, wanted, replays).catch(unknownTopicAsProblem))
      logger.info(
        { audit: true, action: 'dead-letters.replay', subject: identity.subject, wanted, answer },
        `${identity.subject} replayed ${answer.replayed} dead letters of ${topic}`,
      )
      return answer
    },
  })
}

/**
 * The topic of events whose dead letters are meant, named by itself or by that of its dead letters.
 * @throws ProblemError 400 | 403 | 404
 */
function allowedTopic(
  identity: Identity,
  action: 'dlq:read' | 'dlq:replay',
  named: string | undefined,
  eventTypes: EventTypes,
): string {
  if (named === undefined || named === '')
    throw new ProblemError(problem(400, 'name a topic, as in ?topic=order.placed'))
  const topic = named.endsWith(deadLetterTopic('')) ? named.slice(0, -deadLetterTopic('').length) : named
  const types = eventTypes.ofTopic(topic)
  if (types.length === 0) throw new ProblemError(problem(404, `there is no topic "${named}"`))
  for (const { type } of types) require(identity, action, type)
  return topic
}

/** @throws ProblemError 400 */
function placeOf(text: string, letters: string): Exclude<From, 'latest'> {
  const from = parseFrom(text, letters)
  if (from === undefined || from === 'latest') throw new ProblemError(problem(400, badFrom))
  return from
}
