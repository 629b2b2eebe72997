/** `GET /v1/results/{topic}/{partition}/{offset}/explain`: the events that made a pipeline's result. */
import type { Socket } from 'node:net'
import { Readable } from 'node:stream'
import { finished } from 'node:stream/promises'
import { readResult } from '@millrace/core/explain'
import type { PipelineDefinition } from '@millrace/core/pipeline-definition'
import type { Reader, StoredRecord } from '@millrace/kafka/reader'
import type { Logger } from '@millrace/service/logger'
import type { FastifyInstance, FastifyReply } from 'fastify'
import type { EventTypes } from './event-types.ts'
import { type Explained, explanationText, eventsBehind, rangesOf, type Reading } from './explanation.ts'
import { watchMovement } from './outlet.ts'
import { problem, ProblemError } from './problem.ts'
import { requireReadable, unknownTopicAsProblem } from './read-routes.ts'
import { createTurns } from './turns.ts'

/** Each answer holds a page, for as long as its client takes to read it. */
const turnsOfAnswers = { atOnceMax: 16, waitingMax: 256, waitMsMax: 5_000 } as const
/** A client that takes nothing of an answer for so long, twice at most, is given up. */
const stuckMs = 15_000
const partitionMax = 2 ** 31 - 1

export type ExplainRoute = Reading & {
  readonly reader: Pick<Reader, 'readPage' | 'readFirst' | 'offsetsAt'>
  readonly eventTypes: EventTypes
  readonly logger: Pick<Logger, 'warn'>
}

type Named = { Params: { readonly topic: string; readonly partition: string; readonly offset: string } }
type Place = { readonly topic: string; readonly partition: number; readonly offset: number }

export function explainRoute(app: FastifyInstance, route: ExplainRoute): void {
  const turns = createTurns(turnsOfAnswers)
  app.get<Named>(
    '/v1/results/:topic/:partition/:offset/explain',
    { config: { access: ['events:read'] } },
    async ({ identity, method, params }, reply) => {
      const place = placeOf(params)
      requireReadable(identity, place.topic, route.eventTypes)
      const definition = definitionOf(place.topic, route.eventTypes)
      requireReadable(identity, definition.from.topic, route.eventTypes)
      return turns.take(async () => {
        const { head, explained } = await lookUp(place, definition, route).catch(unknownTopicAsProblem)
        const pages = eventsBehind(route, explained)
        const first = method === 'HEAD' ? undefined : await pages.next()
        const onTrouble = (error: unknown) =>
          route.logger.warn({ err: error, ...place }, 'the events behind a result could not be told to their end')
        const text = first && explanationText(head, explained.result.provenance.events, first, pages, onTrouble)
        await sendText(reply, Readable.from(text ?? []))
        return reply
      })
    },
  )
}

/** @throws ProblemError 400 */
function placeOf({ topic, partition, offset }: Named['Params']): Place {
  const place = { topic, partition: Number(partition), offset: Number(offset) }
  const areWhole = [partition, offset].every((text) => /^\d+$/.test(text))
  if (areWhole && place.partition <= partitionMax && place.offset <= Number.MAX_SAFE_INTEGER) return place
  throw refused(400, 'a result is named by its partition and its offset, whole numbers as GET /v1/events shows them')
}

/** @throws ProblemError 404 */
function definitionOf(topic: string, eventTypes: EventTypes): PipelineDefinition {
  const [definition] = eventTypes.ofTopic(topic).flatMap(({ pipeline }) => pipeline ?? [])
  if (definition) return definition
  throw refused(
    404,
    `the catalog knows of no pipeline that publishes to "${topic}" and whose results can be explained: "millrace apply" puts it there, unless it filters or groups by what it has joined`,
  )
}

/**
 * A result, and what its answer begins with.
 * @throws ProblemError 404 | 410, MillraceError when Kafka cannot be read
 */
async function lookUp(place: Place, definition: PipelineDefinition, { reader, itemsOf }: ExplainRoute) {
  const record = await recordAt(place, reader)
  const result = readResult(definition, record)
  if (!result) {
    const detail = `the record is no result of the pipeline "${definition.name}" as it is defined now: explain one that it has published since`
    throw refused(404, detail)
  }
  const explained = { definition, result }
  await requireRetained(explained, reader)
  const [item] = await itemsOf([record])
  const { windowStartMs, windowEndMs, provenance } = result
  const { revision, events: counted, late, filtered } = provenance
  const sources = rangesOf(result).map(([partition, [first, last]]) => {
    return { topic: definition.from.topic, partition, first, last }
  })
  const window = { start: new Date(windowStartMs).toISOString(), end: new Date(windowEndMs).toISOString() }
  const head = {
    ...{ ...place, pipeline: definition.name, result: item, window },
    ...{ revision, counted, late, filtered, sources },
  }
  return { head, explained }
}

/** @throws ProblemError 404 | 410 */
async function recordAt({ topic, partition, offset }: Place, reader: ExplainRoute['reader']): Promise<StoredRecord> {
  const start = BigInt(offset)
  const found = await reader.readFirst(topic, new Map([[partition, { start, end: start + 1n }]]))
  const record = found.get(partition)
  if (record) return record
  const { starts, ends } = await boundsOf(topic, reader)
  const [from, end] = [starts.get(partition), ends.get(partition)]
  if (from === undefined || end === undefined) throw refused(404, `"${topic}" has no partition ${partition}`)
  if (start < from) throw refused(410, 'the result is gone: retention took it. Explain a newer one')
  if (start >= end) throw refused(404, `nothing is at offset ${offset} yet: wait for it, or look at GET /v1/events`)
  throw refused(
    404,
    `no event is at offset ${offset}, but a mark of a transaction, or what one gave up: GET /v1/events shows where they are`,
  )
}

/**
 * Whether all that the events may be among is there.
 * @throws ProblemError 410
 */
async function requireRetained({ definition, result }: Explained, reader: ExplainRoute['reader']): Promise<void> {
  const { topic } = definition.from
  const { starts, ends } = await boundsOf(topic, reader)
  for (const [partition, [first, last]] of rangesOf(result)) {
    const [start, end] = [starts.get(partition), ends.get(partition)]
    if (start === undefined || end === undefined || last >= end) {
      const place = `offset ${last} of partition ${partition} of ${topic}`
      throw refused(
        410,
        `${place}, where the result has events, is not there: the topic was made anew since, or its new leader does not have it yet`,
      )
    }
    if (first >= start) continue
    const taken = `events from offset ${first} on are gone from partition ${partition} of ${topic}, up to ${start - 1n}`
    throw refused(410, `${taken}: retention took them. Explain a newer result, or keep the events longer (retentionMs)`)
  }
}

async function boundsOf(topic: string, reader: ExplainRoute['reader']) {
  const [starts, ends] = await Promise.all([reader.offsetsAt(topic, 'earliest'), reader.offsetsAt(topic, 'latest')])
  return { starts, ends }
}

function refused(status: 400 | 404 | 410, detail: string): ProblemError {
  return new ProblemError(problem(status, detail))
}

/** Resolves when the answer has ended, in whatever way. */
async function sendText(reply: FastifyReply, text: Readable): Promise<void> {
  const { raw: answer, request } = reply
  const isMoving = movementOf(request.raw.socket)
  const watch = setInterval(() => {
    if (!isMoving()) answer.destroy()
  }, stuckMs)
  try {
    const ended = finished(answer)
    void reply.type('application/json; charset=utf-8').send(text)
    await ended
  } catch {
    // The client has left; fastify ends what is read for it.
  } finally {
    clearInterval(watch)
  }
}

function movementOf(socket: Socket): () => boolean {
  return watchMovement(
    () => socket.bytesWritten,
    () => socket.writableLength,
  )
}
