import { deadLetterReasons, isReason } from '@millrace/core/dead-letter'
import { isTime } from '@millrace/core/cloud-event'
import * as z from 'zod'
import { violationsOf } from './event-type-body.ts'
import { problem, ProblemError } from './problem.ts'

const replayBounds = { capDefault: 1_000, capMax: 10_000, canaryMax: 100, idsMax: 1_000 } as const

const time = z
  .string()
  .refine(isTime, 'must be an RFC 3339 time, as in "2026-01-31T23:59:00Z"')
  .transform((text) => Date.parse(text))
export const reasonParameter = z
  .string()
  .refine(isReason, `must be one of ${Object.keys(deadLetterReasons).join(', ')}`)

const body = z
  .strictObject({
    topic: z.string().min(1),
    ids: z.array(z.string().min(1)).min(1).max(replayBounds.idsMax).optional(),
    filter: z
      .strictObject({
        reason: reasonParameter.optional(),
        by: z.string().optional(),
        source: z.string().optional(),
        from: time.optional(),
        to: time.optional(),
      })
      .optional(),
    dryRun: z.boolean().default(false),
    cap: z.int().min(1).max(replayBounds.capMax).default(replayBounds.capDefault),
    canary: z.int().min(0).max(replayBounds.canaryMax).default(0),
    from: z.string().optional(),
  })
  .refine(({ ids, filter }) => ids !== undefined || filter !== undefined, {
    message: 'say which: give ids, or a filter ({} is all of the topic)',
  })

export type ReplayBody = z.output<typeof body>

/** @throws ProblemError 400 */
export function parseReplayBody(value: unknown): ReplayBody {
  const parsed = body.safeParse(value)
  if (parsed.success) return parsed.data
  const errors = parsed.error.issues.flatMap(violationsOf)
  throw new ProblemError(problem(400, 'this is not a replay', { errors }))
}
