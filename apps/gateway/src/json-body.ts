import type { Violation } from '@millrace/core/cloud-event'
import { pointerOf } from '@millrace/core/json'
import { problem, ProblemError } from './problem.ts'

const decoder = new TextDecoder('utf-8', { fatal: true })
/** Fewer digits can be no integer beyond 2^53, so most bodies need no closer look. */
const longNumber = /[0-9]{16}/
const nestingMax = 64

/** Stands where a double would silently change an integer, until `jsonViolation` finds it. */
class UnsafeInteger {
  readonly source: string

  constructor(source: string) {
    this.source = source
  }
}

/**
 * Parses a body that must be JSON in UTF-8. What is JSON and can still not be kept is left for `jsonViolation` to find, since in
 * a batch it is the fault of one event alone.
 * @throws ProblemError 400
 */
export function parseJsonBody(body: Buffer): unknown {
  const text = decode(body)
  try {
    return longNumber.test(text) ? JSON.parse(text, markUnsafeInteger) : JSON.parse(text)
  } catch (error) {
    const detail = error instanceof RangeError ? 'the body is nested too deeply' : 'the body is not JSON'
    throw new ProblemError(problem(400, detail))
  }
}

/** What of a parsed value could not be stored as it was sent: a number that a double cannot hold, or nesting without end. */
export function jsonViolation(value: unknown, path: readonly string[] = []): Violation | undefined {
  if (value instanceof UnsafeInteger) {
    return violation(path, `the integer ${value.source} is beyond 2^53 and would lose digits: send it as a string`)
  }
  if (typeof value === 'number' && !Number.isFinite(value)) return violation(path, 'is too large for a number')
  if (typeof value !== 'object' || value === null) return undefined
  if (path.length === nestingMax) return violation(path, `is nested deeper than ${nestingMax} levels`)
  for (const [name, child] of Object.entries(value)) {
    if (typeof child === 'string') continue
    const found = jsonViolation(child, [...path, name])
    if (found) return found
  }
  return undefined
}

function violation(path: readonly string[], detail: string): Violation {
  return { pointer: pointerOf(...path), detail }
}

function decode(body: Buffer): string {
  try {
    return decoder.decode(body)
  } catch {
    throw new ProblemError(problem(400, 'the body is not UTF-8'))
  }
}

function markUnsafeInteger(_key: string, value: unknown, context?: { readonly source?: string }): unknown {
  const source = context?.source
  const unsafe = typeof value === 'number' && source !== undefined && /^-?\d+$/.test(source)
  return unsafe && !Number.isSafeInteger(value) ? new UnsafeInteger(source) : value
}
