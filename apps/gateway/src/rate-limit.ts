/**
 * A token bucket for each subject of tokens, in this instance's memory: N instances allow N times as much, and no request waits for
 * another machine. @fastify/rate-limit counts in windows (twice the limit around an edge) and speaks the headers of an early draft, so
 * the few lines are ours.
 */
import type { FastifyReply } from 'fastify'
import { createLru } from './lru.ts'
import { problem, ProblemError } from './problem.ts'

export type RateLimitOptions = { readonly requestsPerSecond: number; readonly burst: number }

/** What is left for a subject after a request of it. `resetSeconds` until all of the burst is there again. */
export type Quota = { readonly allowed: boolean; readonly remaining: number; readonly resetSeconds: number }

export type RateLimit = {
  /** Takes one request from a subject's bucket, if there is one. */
  readonly take: (subject: string) => Quota
  /** The policy and a subject's quota, as draft-ietf-httpapi-ratelimit-headers writes them. */
  readonly describe: (reply: FastifyReply, quota: Quota) => void
}

type Bucket = { left: number; at: number }

/** A subject that is forgotten begins anew with a full bucket: the issuer decides how many subjects there are. */
const subjectsMax = { entriesMax: 10_000, keysLengthMax: 1_048_576 }

export function createRateLimit({ requestsPerSecond, burst }: RateLimitOptions): RateLimit {
  const buckets = createLru<Bucket>(subjectsMax)
  const policy = `"default";q=${burst};w=${Math.ceil(burst / requestsPerSecond)}`

  function bucketOf(subject: string, now: number): Bucket {
    const known = buckets.get(subject)
    if (known) return known
    const bucket = { left: burst, at: now }
    buckets.set(subject, bucket)
    return bucket
  }

  return {
    take: (subject) => {
      const now = performance.now()
      const bucket = bucketOf(subject, now)
      const left = Math.min(burst, bucket.left + ((now - bucket.at) / 1_000) * requestsPerSecond)
      const allowed = left >= 1
      bucket.left = allowed ? left - 1 : left
      bucket.at = now
      const resetSeconds = Math.ceil((burst - bucket.left) / requestsPerSecond)
      return { allowed, remaining: Math.floor(bucket.left), resetSeconds }
    },
    describe: (reply, { remaining, resetSeconds }) => {
      reply.header('ratelimit-policy', policy)
      reply.header('ratelimit', `"default";r=${remaining};t=${resetSeconds}`)
    },
  }
}

/** @throws ProblemError 429 */
export function chargeRequest(limit: RateLimit, subject: string, reply: FastifyReply): void {
  const quota = limit.take(subject)
  limit.describe(reply, quota)
  if (quota.allowed) return
  // The draft: never earlier than the reset that `RateLimit` tells.
  reply.header('retry-after', String(Math.max(1, quota.resetSeconds)))
  throw new ProblemError(problem(429, `too many requests of this subject: send again in ${quota.resetSeconds} s`))
}
