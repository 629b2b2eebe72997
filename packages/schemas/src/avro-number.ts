/** Numbers in JSON that stand for Avro's, with no digit lost on the way. */
import type { JsonValue } from '@millrace/core/json'
import { ExactInteger } from './exact-json.ts'

const decimal = /^-?(0|[1-9]\d{0,18})$/
const longMax = 2n ** 63n - 1n
const floatMax = 3.4028234663852886e38

export type Parsed<T> = { readonly value: T } | { readonly fault: string }

/** The digits of an integer that no JavaScript number holds exactly, where the JSON had one. */
export function exactDigits(value: JsonValue): string | undefined {
  return value instanceof ExactInteger ? value.source : undefined
}

/** A long: a JSON integer, or its decimal digits as a string, which is what readers get beyond 2^53. */
export function longOf(value: JsonValue): Parsed<number | bigint> {
  if (typeof value === 'number') {
    if (Number.isSafeInteger(value)) return { value }
    return Number.isInteger(value)
      ? { fault: 'is beyond 2^53 and would lose digits: send its digits as a string' }
      : { fault: 'must be an integer' }
  }
  const digits = typeof value === 'string' ? value : exactDigits(value)
  if (digits === undefined) return { fault: 'must be an integer' }
  if (!decimal.test(digits)) return { fault: 'must be an integer of 64 bits: the string is not its decimal digits' }
  const number = BigInt(digits)
  if (number > longMax || number < -longMax - 1n) return { fault: 'is beyond a long of 64 bits' }
  return { value: number }
}

export function intOf(value: JsonValue): Parsed<number> {
  if (typeof value === 'number' && (value | 0) === value) return { value }
  const integer = exactDigits(value) !== undefined || Number.isInteger(value)
  return { fault: integer ? 'is beyond an int of 32 bits' : 'must be an integer' }
}

/** A double: a JSON number, or what JSON has no number for as readers get it. */
export function doubleOf(value: JsonValue): Parsed<number> {
  if (typeof value === 'number') return { value }
  if (value === 'NaN' || value === 'Infinity' || value === '-Infinity') return { value: Number(value) }
  const digits = exactDigits(value)
  if (digits === undefined) return { fault: 'must be a number, "NaN", "Infinity" or "-Infinity"' }
  const number = Number(digits)
  if (Number.isFinite(number) && BigInt(number) === BigInt(digits)) return { value: number }
  return { fault: `the integer ${digits.slice(0, 40)} is more than a double holds exactly` }
}

/** A float takes what a double takes and rounds it, as long as that is no infinity. */
export function floatOf(value: JsonValue): Parsed<number> {
  const double = doubleOf(value)
  if ('fault' in double || !Number.isFinite(double.value) || Math.abs(double.value) <= floatMax) return double
  return { fault: 'is beyond a float of 32 bits' }
}
