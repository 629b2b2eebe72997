/** Integers of up to 64 bits between JSON, where they are numbers or decimal strings, and Protobuf: without losing a digit. */
import type { JsonValue } from '@millrace/core/json'
import { ExactInteger } from './exact-json.ts'
import { Refusal } from './protobuf-descriptor.ts'

const decimal = /^-?\d{1,20}$/
const number = /^-?\d+(?:\.\d+)?(?:[eE][+-]?\d{1,3})?$/
const word = 2 ** 32

/** The bounds of an integer type, as what it is called in a `.proto` file. */
export type IntegerRange = { readonly name: string; readonly min: bigint; readonly max: bigint }

/** The integer that a JSON number or string is: a number where that is exact. */
export function integerOf(value: JsonValue, { name, min, max }: IntegerRange): number | bigint | Refusal {
  const integer = parsed(value)
  if (integer === undefined) return new Refusal(`must be an integer (${name}), as a number or a string`)
  if (integer === 'inexact') return new Refusal('is beyond 2^53, where JSON numbers lose digits: send it as a string')
  return integer < min || integer > max ? new Refusal(`must be within ${min} and ${max} (${name})`) : integer
}

function parsed(value: JsonValue): number | bigint | 'inexact' | undefined {
  if (typeof value === 'number') {
    if (!Number.isInteger(value)) return undefined
    // Minus zero is zero.
    return Number.isSafeInteger(value) ? value + 0 : 'inexact'
  }
  const text = digitsOf(value)
  if (text === undefined) return undefined
  if (decimal.test(text)) return text.length < 16 ? Number(text) + 0 : BigInt(text)
  // ProtoJSON takes "1e5" and "1.0" too.
  return number.test(text) ? parsed(Number(text)) : undefined
}

function digitsOf(value: JsonValue): string | undefined {
  const text = typeof value === 'string' ? value : exactSource(value)
  return text !== undefined && text.length <= 64 ? text : undefined
}

/** The digits of an integer that the parser kept as they were sent, since a number would lose some. */
export function exactSource(value: unknown): string | undefined {
  return value instanceof ExactInteger ? value.source : undefined
}

/** 64 bits, unsigned, in decimal. */
export function unsignedText(low: number, high: number): string {
  return high < 2 ** 21 ? String(high * word + low) : String((BigInt(high) << 32n) | BigInt(low))
}

/** 64 bits in two's complement, in decimal. */
export function signedText(low: number, high: number): string {
  if (high < 2 ** 31) return unsignedText(low, high)
  return String(BigInt.asIntN(64, (BigInt(high) << 32n) | BigInt(low)))
}

/** 64 bits in Protobuf's zigzag, in decimal. */
export function zigzagText(low: number, high: number): string {
  const negative = low & 1
  const half = { low: ((low >>> 1) | (high << 31)) >>> 0, high: high >>> 1 }
  return negative ? signedText(~half.low >>> 0, ~half.high >>> 0) : signedText(half.low, half.high)
}
