import { STATUS_CODES } from 'node:http'
import type { Violation } from '@millrace/core/cloud-event'
import type { FastifyReply } from 'fastify'

/** What went wrong, as RFC 9457 wants it told. */
export type Problem = {
  readonly type: 'about:blank'
  readonly title: string
  readonly status: number
  readonly detail: string
  readonly errors?: readonly Violation[]
  /** The id of the event that is not confirmed: send it again with this one. */
  readonly id?: string
  /** Where the event is kept that the cluster did not take. */
  readonly deadLetter?: { readonly topic: string; readonly partition: number; readonly offset: number }
  /** Where reading can go on, when what was asked for is gone. */
  readonly earliest?: string
}

/** A request that ends with a problem. Thrown by routes, answered by the error handler. */
export class ProblemError extends Error {
  readonly problem: Problem

  constructor(problem: Problem) {
    super(problem.detail)
    this.problem = problem
  }
}

export function problem(
  status: number,
  detail: string,
  more: Pick<Problem, 'errors' | 'id' | 'deadLetter' | 'earliest'> = {},
): Problem {
  return { type: 'about:blank', title: STATUS_CODES[status] ?? 'Error', status, detail, ...more }
}

/** There is no room in memory for what a request brings. */
export function noRoom(): ProblemError {
  return new ProblemError(problem(503, 'this instance holds as many bytes of requests as it may: send it again'))
}

/** Answers are of the moment and for one client; their type is what they say. */
export const neverKept = { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' } as const

/** How long a producer should wait before it sends again what was not confirmed. */
export const retryAfterSeconds = 1

export function sendProblem(reply: FastifyReply, told: Problem): FastifyReply {
  if (told.status === 401) reply.header('www-authenticate', 'Bearer')
  const isTemporary = told.status === 503 || told.status === 429
  if (isTemporary && !reply.hasHeader('retry-after')) reply.header('retry-after', String(retryAfterSeconds))
  // Some problems are told before there is a route whose hooks could say so.
  reply.headers(neverKept)
  return reply.code(told.status).type('application/problem+json').send(problemText(told))
}

/** A problem as the body of an answer. */
export function problemText(told: Problem): string {
  return JSON.stringify(told)
}
