import { setImmediate } from 'node:timers/promises'
import type { FastifyReply } from 'fastify'
import type { Outcome } from './ingest.ts'
import { type Problem, retryAfterSeconds } from './problem.ts'

/** What is answered to many events: one result each, in the order of the request. */
export type BatchAnswer = {
  readonly put: (index: number, outcome: Outcome) => void
  readonly counts: () => Counts
  readonly send: (reply: FastifyReply) => Promise<FastifyReply>
}

/** Events past the bound are refused one by one, but no more of them than this many times the bound: each is a line of the answer. */
export const answeredTimesMax = 10
/** Violations that one answer names at most: past it, a problem says what is wrong without saying where. */
const violationsMax = 2_000
const resultsPerTurn = 2_000

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
    send: async (reply) => {
      if (counts.unconfirmed > 0) reply.header('retry-after', String(retryAfterSeconds))
      const { accepted, rejected, unconfirmed } = counts
      const head = JSON.stringify({ accepted, rejected, unconfirmed }).slice(0, -1)
      const body = Buffer.concat([Buffer.from(`${head},"results":[`), ...(await listed(results)), Buffer.from(']}')])
      return reply.code(statusOf(results.length, counts)).type('application/json; charset=utf-8').send(body)
    },
  }
}

/** The results as JSON, encoded too: many of them in several turns of the event loop. */
async function listed(results: readonly unknown[]): Promise<Buffer[]> {
  const parts: Buffer[] = []
  for (let start = 0; start < results.length; start += resultsPerTurn) {
    if (start > 0) await setImmediate()
    const part = JSON.stringify(results.slice(start, start + resultsPerTurn)).slice(1, -1)
    parts.push(Buffer.from(start > 0 ? `,${part}` : part))
  }
  return parts
}

type Counts = { readonly accepted: number; readonly rejected: number; readonly unconfirmed: number }

function statusOf(all: number, { accepted, rejected, unconfirmed }: Counts): number {
  if (accepted === all) return 200
  if (rejected === all) return 422
  return unconfirmed === all ? 503 : 207
}
