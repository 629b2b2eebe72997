import { setImmediate } from 'node:timers/promises'
import { beginParsing, parseExactJson, type ParsedJson } from '@millrace/schemas/exact-json'
import { problem, ProblemError } from './problem.ts'

export type ParsedBody = {
  /** What is JSON and can still not be kept is marked in it, for `jsonViolation` or `inputViolation` to find. */
  readonly value: unknown
  /** Nothing is marked. */
  readonly plain: boolean
}

/** To parse more than this takes long enough for others to have their turn in between. */
const shortBytesMax = 128 * 1_024

/**
 * Parses a body that must be JSON in UTF-8.
 * @throws ProblemError 400
 */
export async function parseBody(body: Buffer): Promise<ParsedBody> {
  const parsed = await parseInTurns(body)
  if (!parsed.ok) throw new ProblemError(problem(400, `the body ${parsed.detail}`))
  return parsed
}

/** Parses JSON: what is long in several turns of the event loop, of which the caller's next step has one for itself. */
export function parseInTurns(bytes: Buffer): ParsedJson | Promise<ParsedJson> {
  return bytes.length <= shortBytesMax ? parseExactJson(bytes) : parseLong(bytes)
}

async function parseLong(bytes: Buffer): Promise<ParsedJson> {
  const parsing = beginParsing(bytes)
  if (!parsing.ok) return parsing
  await setImmediate()
  const parsed = parsing.end()
  await setImmediate()
  return parsed
}
