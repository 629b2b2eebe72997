import type { FastifyReply } from 'fastify'
import type { Outcome } from './ingest.ts'
import { type Problem, retryAfterSeconds } from './problem.ts'

/** What is answered to many events: one result each, in the order of the request. */
export type BatchAnswer = {
  readonly put: (index: number, outcome: Outcome) => void
  readonly counts: () => Counts
  readonly send: (reply: FastifyReply) => FastifyReply
}

/** Violations that one answer names at most: past it, a problem says what is wrong without saying where. */
const violationsMax = 2_000

export function createBatchAnswer(): BatchAnswer {
  const results: unknown[] = []
  const counts = { accepted: 0, rejected: 0, unconfirmed: 0 }
  let violations = 0

  const bounded = (told: Problem): Problem => {
    violations += told.errors?.length ?? 0
    if (violations <= violationsMax || told.errors === undefined) return told
    const { errors, ...rest } = told
    return { ...rest, detail: `${told.detail} (${errors.length} violations)` }
  }

  return {
    put: (index, outcome) => {
      if ('receipt' in outcome) {
        const { id, status, topic, partition, offset } = outcome.receipt
        results[index] = { index, id, status, topic, partition, offset }
        counts.accepted += 1
      } else {
        const { id, status, problem } = outcome
        results[index] = { index, id, status, problem: bounded(problem) }
        counts[status] += 1
      }
    },
    counts: () => counts,
    send: (reply) => {
      if (counts.unconfirmed > 0) reply.header('retry-after', String(retryAfterSeconds))
      return reply.code(statusOf(results.length, counts)).send({ ...counts, results })
    },
  }
}

type Counts = { readonly accepted: number; readonly rejected: number; readonly unconfirmed: number }

function statusOf(all: number, { accepted, rejected, unconfirmed }: Counts): number {
  if (accepted === all) return 200
  if (rejected === all) return 422
  return unconfirmed === all ? 503 : 207
}
