import { problem, ProblemError } from './problem.ts'

const decoder = new TextDecoder('utf-8', { fatal: true })
/** Fewer digits can be no integer beyond 2^53, so most bodies need no closer look. */
const longNumber = /[0-9]{16}/

/**
 * Parses a body strictly: UTF-8 alone, no integer that a double would silently change.
 * @throws ProblemError 400
 */
export function parseJsonBody(body: Buffer): unknown {
  const text = decode(body)
  try {
    return longNumber.test(text) ? JSON.parse(text, refuseUnsafeInteger) : JSON.parse(text)
  } catch (error) {
    if (error instanceof ProblemError) throw error
    throw new ProblemError(problem(400, 'the body is not JSON'))
  }
}

function decode(body: Buffer): string {
  try {
    return decoder.decode(body)
  } catch {
    throw new ProblemError(problem(400, 'the body is not UTF-8'))
  }
}

function refuseUnsafeInteger(key: string, value: unknown, context?: { readonly source?: string }): unknown {
  const source = context?.source
  if (typeof value === 'number' && source !== undefined && /^-?\d+$/.test(source) && !Number.isSafeInteger(value)) {
    const detail = `"${key}": the integer ${source} is beyond 2^53 and would lose digits: send it as a string`
    throw new ProblemError(problem(400, detail))
  }
  return value
}
