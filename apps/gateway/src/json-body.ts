import { parseExactJson } from '@millrace/schemas/exact-json'
import { problem, ProblemError } from './problem.ts'

export type ParsedBody = {
  /** What is JSON and can still not be kept is marked in it, for `jsonViolation` or `inputViolation` to find. */
  readonly value: unknown
  /** Nothing is marked. */
  readonly plain: boolean
}

/**
 * Parses a body that must be JSON in UTF-8.
 * @throws ProblemError 400
 */
export function parseBody(body: Buffer): ParsedBody {
  const parsed = parseExactJson(body)
  if (!parsed.ok) throw new ProblemError(problem(400, `the body ${parsed.detail}`))
  return parsed
}
