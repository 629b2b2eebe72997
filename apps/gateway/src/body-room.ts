/** The room in memory for the bodies of all requests under way: each has a bound of its own, and so have all together. */
import type { Readable } from 'node:stream'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { acceptedEncodings, contentEncodingOf, openBody } from './content-encoding.ts'
import { noRoom, problem, ProblemError } from './problem.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** What the request takes of the room for bodies; set before its body is read. */
    bodyShare: BodyShare
  }
  interface FastifyContextConfig {
    /** The route counts its bodies itself, since it opens them. */
    opensBodies?: boolean
  }
}

export class BodyRoom {
  readonly #bytesMax: number
  #taken = 0

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax
  }

  /** In bytes. */
  get taken(): number {
    return this.#taken
  }

  take(bytes: number): boolean {
    if (this.#taken + bytes > this.#bytesMax) return false
    this.#taken += bytes
    return true
  }

  give(bytes: number): void {
    this.#taken -= bytes
  }
}

/** What one request has of the room. */
export class BodyShare {
  readonly #room: BodyRoom
  #held = 0
  #ended = false

  constructor(room: BodyRoom) {
    this.#room = room
  }

  /** Whether there was room for so many bytes more. */
  take(bytes: number): boolean {
    if (this.#ended || !this.#room.take(bytes)) return false
    this.#held += bytes
    return true
  }

  give(bytes: number): void {
    if (this.#ended) return
    this.#held -= bytes
    this.#room.give(bytes)
  }

  end(): void {
    this.give(this.#held)
    this.#ended = true
  }
}

/** Gives every request its share, until it is answered or its client is gone, and reads no body that there is no room for. */
export function boundBodies(app: FastifyInstance, room: BodyRoom): void {
  app.decorateRequest('bodyShare')
  app.addHook('preParsing', (request, reply, payload, done) => {
    const share = new BodyShare(room)
    request.bodyShare = share
    reply.raw.once('close', () => share.end())
    const { config, bodyLimit } = request.routeOptions
    const opened = config.opensBodies === true ? payload : openedBody(request, reply, payload, bodyLimit)
    if (opened instanceof ProblemError) done(opened)
    else done(null, opened)
  })
}

/** A body, decoded where it is compressed, or why it is not read. */
export function openedBody(
  request: FastifyRequest,
  reply: FastifyReply,
  payload: Readable,
  bytesMax: number,
): Readable | ProblemError {
  const header = request.headers['content-encoding']
  if (header === undefined) return countedBody(request, payload, bytesMax)
  const encoding = contentEncodingOf(header)
  return encoding ? openBody(payload, encoding, bytesMax, request.bodyShare) : unknownEncoding(reply)
}

export function unknownEncoding(reply: FastifyReply): ProblemError {
  reply.header('accept-encoding', acceptedEncodings)
  return new ProblemError(problem(415, `send the body as it is, or in one of ${acceptedEncodings}`))
}

/** A body as it is sent: counted by the length that it has, or as it arrives. */
function countedBody(
  { headers, bodyShare }: FastifyRequest,
  payload: Readable,
  bytesMax: number,
): Readable | ProblemError {
  const length = headers['content-length']
  if (length === undefined) {
    return headers['transfer-encoding'] === undefined ? payload : openBody(payload, 'identity', bytesMax, bodyShare)
  }
  // What is longer than it may be is not read: fastify refuses it.
  return Number(length) > bytesMax || bodyShare.take(Number(length)) ? payload : noRoom()
}
