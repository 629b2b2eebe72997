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
  more: { readonly errors?: readonly Violation[]; readonly id?: string } = {},
): Problem {
  return { type: 'about:blank', title: STATUS_CODES[status] ?? 'Error', status, detail, ...more }
}

/** How long a producer should wait before it sends again what was not confirmed. */
const retryAfterSeconds = 1

export function sendProblem(reply: FastifyReply, told: Problem): FastifyReply {
  if (told.status === 401) reply.header('www-authenticate', 'Bearer')
  if (told.status === 503 || told.status === 429) reply.header('retry-after', String(retryAfterSeconds))
  return reply.code(told.status).type('application/problem+json').send(JSON.stringify(told))
}
