/**
 * JSON in, without a silent loss. What is decided where RFC 8259 leaves a choice:
 * - UTF-8 without a byte order mark (§8.1); U+0000 and lone surrogates are refused, since not everybody keeps them (§8.2);
 * - a name given twice is refused, in the envelope and in the data: taking the last one would hide the others (§4);
 * - integers beyond 2^53 stay `ExactInteger`, for formats that have such; JSON itself refuses them (§6);
 * - other numbers are doubles (§6): digits beyond a double's are not kept, -0 is 0; what would become infinite or zero is refused;
 * - `__proto__` is a name like any other, and always an own property;
 * - nesting is at most `nestingMax` levels; there are at most `structuresMax` objects and lists, and `largeNamesMax` names in large objects.
 */
import type { Violation } from '@millrace/core/cloud-event'
import { pointerOf } from '@millrace/core/json'
import { ExactInteger, markLosses, tooDeep, Unstorable } from './json-marks.ts'
import { excessIn, isPlainJson, nestingMax } from './json-scan.ts'

export { ExactInteger }

export type ParsedJson =
  | {
      readonly ok: true
      /** JSON in which `ExactInteger` and marks may stand, until `jsonViolation` or `inputViolation` finds them. */
      readonly value: unknown
      /** Neither will find anything, so neither need be asked. */
      readonly plain: boolean
    }
  | { readonly ok: false; readonly detail: string }

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/**
 * Parses JSON. What is JSON and still cannot be kept is marked and left for `jsonViolation` or `inputViolation` to find, since in a batch
 * it is the fault of one event alone.
 */
export function parseExactJson(bytes: Uint8Array): ParsedJson {
  const parsing = beginParsing(bytes)
  return parsing.ok ? parsing.end() : parsing
}

/** The same in two steps, each of which takes its time where there is much of it. */
export function beginParsing(
  bytes: Uint8Array,
): { readonly ok: true; readonly end: () => ParsedJson } | Extract<ParsedJson, { ok: false }> {
  const excess = excessIn(bytes)
  if (excess !== undefined) return { ok: true, end: () => ({ ok: true, value: new Unstorable(excess), plain: false }) }
  const text = decoded(bytes)
  if (text === undefined) return { ok: false, detail: 'is not UTF-8' }
  if (text.startsWith('\uFEFF')) return { ok: false, detail: 'begins with a byte order mark' }
  try {
    const value: unknown = JSON.parse(text)
    return { ok: true, end: () => examined(bytes, text, value) }
  } catch {
    return { ok: false, detail: 'is not JSON' }
  }
}

function examined(bytes: Uint8Array, text: string, value: unknown): ParsedJson {
  if (isPlainJson(bytes)) return { ok: true, value, plain: true }
  const marked = markLosses(text, value)
  return { ok: true, value: marked.value, plain: !marked.isMarked }
}

/** What of a parsed value could not be stored as JSON the way it was sent, and where. */
export function jsonViolation(value: unknown, path: readonly string[] = []): Violation | undefined {
  return find(value, [...path], true)
}

/** What of a parsed value no format can take, and where: `ExactInteger` is left to formats that have such integers. */
export function inputViolation(value: unknown, path: readonly string[] = []): Violation | undefined {
  return find(value, [...path], false)
}

function find(value: unknown, path: string[], json: boolean): Violation | undefined {
  const detail = defectOf(value, path.length, json)
  if (detail !== undefined) return { pointer: pointerOf(...path), detail }
  if (typeof value !== 'object' || value === null || value instanceof ExactInteger) return undefined
  for (const name of Object.keys(value)) {
    const child: unknown = Reflect.get(value, name)
    if (typeof child === 'string') continue
    path.push(name)
    const found = find(child, path, json)
    if (found) return found
    path.pop()
  }
  return undefined
}

function defectOf(value: unknown, level: number, json: boolean): string | undefined {
  if (typeof value === 'number') return Number.isFinite(value) ? undefined : 'is too large for a number'
  if (typeof value !== 'object' || value === null) return undefined
  if (value instanceof Unstorable) return value.detail
  if (value instanceof ExactInteger) {
    return json ? `the integer ${value.source} is beyond 2^53 and would lose digits: send it as a string` : undefined
  }
  return level >= nestingMax ? tooDeep : undefined
}

function decoded(bytes: Uint8Array): string | undefined {
  try {
    return decoder.decode(bytes)
  } catch {
    return undefined
  }
}
