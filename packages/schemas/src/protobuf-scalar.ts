/** Protobuf's scalars: from the wire to JSON, and from JSON to the wire. */
import type { JsonObject, JsonValue } from '@millrace/core/json'
import type { Writer } from 'protobufjs'
import { digits, int32, real } from './number-shapes.ts'
import { type MapKey, Refusal, type Scalar } from './protobuf-descriptor.ts'
import { exactSource, integerOf, signedText, unsignedText, zigzagText } from './protobuf-integer.ts'
import type { WireInput, WireType } from './protobuf-wire.ts'

type Parts<T> = {
  readonly wireType: WireType
  readonly shape: JsonObject
  readonly zero: JsonValue
  readonly read: (input: WireInput) => JsonValue
  readonly take: (value: JsonValue) => T | Refusal
  readonly isZero: (taken: T) => boolean
  readonly put: (writer: Writer, taken: T) => Writer
}

function scalar<T>({ wireType, shape, zero, read, take, isZero, put }: Parts<T>): Scalar {
  const write: Scalar['write'] = (value, writer, { tag, zeroLeftOut }) => {
    const taken = take(value)
    if (taken instanceof Refusal) return taken.detail
    if (zeroLeftOut && isZero(taken)) return undefined
    if (tag !== undefined) writer.uint32(tag)
    put(writer, taken)
    return undefined
  }
  return { kind: 'scalar', wireType, shape, zero, read, write }
}

type Integer32 = 'int32' | 'uint32' | 'sint32' | 'fixed32' | 'sfixed32'
type Integer64 = 'int64' | 'uint64' | 'sint64' | 'fixed64' | 'sfixed64'

function rangeOf(name: Integer32 | Integer64) {
  const bits = BigInt(name.slice(-2))
  return /^[uf]/.test(name)
    ? { name, min: 0n, max: 2n ** bits - 1n }
    : { name, min: -(2n ** (bits - 1n)), max: 2n ** (bits - 1n) - 1n }
}

function integer32(name: Integer32, wireType: WireType, read: (input: WireInput) => number): Scalar {
  const range = rangeOf(name)
  const take = (value: JsonValue) => {
    const taken = integerOf(value, range)
    return taken instanceof Refusal ? taken : Number(taken)
  }
  return scalar<number>({
    wireType,
    shape: { type: 'integer', minimum: Number(range.min), maximum: Number(range.max) },
    zero: 0,
    read,
    take,
    isZero: (taken) => taken === 0,
    put: (writer, taken) => writer[name](taken),
  })
}

function integer64(name: Integer64, wireType: WireType, read: (input: WireInput) => string): Scalar {
  const range = rangeOf(name)
  return scalar<number | bigint>({
    wireType,
    shape: digits,
    zero: '0',
    read,
    take: (value) => integerOf(value, range),
    isZero: (taken) => taken === 0,
    put: (writer, taken) => writer[name](typeof taken === 'number' ? taken : String(taken)),
  })
}

function float(name: 'float' | 'double', wireType: WireType, read: (input: WireInput) => number): Scalar {
  return scalar<number>({
    wireType,
    shape: real,
    zero: 0,
    read: (input) => numberToJson(read(input)),
    take: name === 'double' ? takeDouble : takeFloat,
    // Minus zero is another value.
    isZero: (taken) => Object.is(taken, 0),
    put: (writer, taken) => writer[name](taken),
  })
}

const special = new Map([
  ['NaN', NaN],
  ['Infinity', Infinity],
  ['-Infinity', -Infinity],
])
const numeral = /^-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?$/
const floatMax = 3.4028234663852886e38

function numberToJson(value: number): JsonValue {
  return Number.isFinite(value) ? value : String(value)
}

function takeDouble(value: JsonValue): number | Refusal {
  if (typeof value === 'number') return value
  const text = typeof value === 'string' ? value : exactSource(value)
  if (text === undefined) return new Refusal('must be a number')
  const number = special.get(text) ?? (numeral.test(text) ? Number(text) : undefined)
  if (number === undefined) return new Refusal('must be a number, or "NaN", "Infinity" or "-Infinity"')
  return Number.isFinite(number) || special.has(text) ? number : new Refusal('is beyond what a double holds')
}

function takeFloat(value: JsonValue): number | Refusal {
  const taken = takeDouble(value)
  if (taken instanceof Refusal || !Number.isFinite(taken)) return taken
  return Math.abs(taken) > floatMax ? new Refusal('is beyond what a float holds') : taken
}

const powersOfTen = Array.from({ length: 23 }, (_, exponent) => 10 ** exponent)

/** A float as the shortest decimal that is that float: 0.1, not 0.10000000149011612. */
function shortest(float: number): number {
  if (Number.isInteger(float) || !Number.isFinite(float)) return float
  const exponent = Math.floor(Math.log10(Math.abs(float)))
  for (let digits = 6; digits < 10; digits++) {
    // Up to 10^22 a power is exact, and so what is divided by it is the number that its digits say. It is faster than text.
    const power = powersOfTen[digits - 1 - exponent]
    const candidate = power === undefined ? Number(float.toPrecision(digits)) : Math.round(float * power) / power
    if (Math.fround(candidate) === float) return candidate
  }
  return Number(float.toPrecision(9))
}

const bool = scalar<boolean>({
  wireType: 0,
  shape: { type: 'boolean' },
  zero: false,
  read: (input) => (input.varint() | input.high) !== 0,
  take: (value) => (typeof value === 'boolean' ? value : new Refusal('must be true or false')),
  isZero: (taken) => !taken,
  put: (writer, taken) => writer.bool(taken),
})

const string = scalar<string>({
  wireType: 2,
  shape: { type: 'string' },
  zero: '',
  read: (input) => input.text(),
  take: (value) => {
    if (typeof value !== 'string') return new Refusal('must be a string')
    return value.isWellFormed() ? value : new Refusal('has half a surrogate pair, which is not Unicode')
  },
  isZero: (taken) => taken === '',
  put: (writer, taken) => writer.string(taken),
})

const base64 = /^[A-Za-z0-9+/_-]*(={0,2})$/

const bytes = scalar<Buffer>({
  wireType: 2,
  shape: { type: 'string', contentEncoding: 'base64', pattern: base64.source, examples: ['bWlsbA=='] },
  zero: '',
  read: (input) => input.base64(),
  take: (value) => (typeof value === 'string' ? bytesOf(value) : new Refusal('must be bytes in base64, as a string')),
  isZero: (taken) => taken.length === 0,
  put: (writer, taken) => writer.bytes(taken),
})

/** Both alphabets of RFC 4648 are taken, with padding or without. */
function bytesOf(text: string): Buffer | Refusal {
  const padding = base64.exec(text)?.[1]?.length
  const sound = padding === 0 ? text.length % 4 !== 1 : padding !== undefined && text.length % 4 === 0
  return sound ? Buffer.from(text, 'base64') : new Refusal('is not base64')
}

const zigzag32 = (bits: number) => (bits >>> 1) ^ -(bits & 1)

const scalars = new Map<string, Scalar>([
  ['double', float('double', 1, (input) => input.double())],
  ['float', float('float', 5, (input) => shortest(input.float()))],
  ['int32', integer32('int32', 0, (input) => input.varint() | 0)],
  ['uint32', integer32('uint32', 0, (input) => input.varint() >>> 0)],
  ['sint32', integer32('sint32', 0, (input) => zigzag32(input.varint()))],
  ['fixed32', integer32('fixed32', 5, (input) => input.fixed32())],
  ['sfixed32', integer32('sfixed32', 5, (input) => input.fixed32() | 0)],
  ['int64', integer64('int64', 0, (input) => signedText(input.varint(), input.high))],
  ['uint64', integer64('uint64', 0, (input) => unsignedText(input.varint(), input.high))],
  ['sint64', integer64('sint64', 0, (input) => zigzagText(input.varint(), input.high))],
  ['fixed64', integer64('fixed64', 1, (input) => unsignedText(input.fixed64(), input.high))],
  ['sfixed64', integer64('sfixed64', 1, (input) => signedText(input.fixed64(), input.high))],
  ['bool', bool],
  ['string', string],
  ['bytes', bytes],
])

export function scalarNamed(name: string): Scalar | undefined {
  return scalars.get(name)
}

/** An enum of proto3: numbers without a name are values too. */
export function enumScalar(values: readonly (readonly [name: string, number: number])[]): Scalar {
  const numbers = new Map(values)
  // Where a number has several names, readers see the first.
  const names = new Map([...values].reverse().map(([name, number]) => [number, name]))
  const range = { name: 'an enum', min: -(2n ** 31n), max: 2n ** 31n - 1n }
  return scalar<number>({
    wireType: 0,
    shape: { anyOf: [{ enum: [...numbers.keys()] }, int32] },
    zero: names.get(0) ?? 0,
    read: (input) => {
      const number = input.varint() | 0
      return names.get(number) ?? number
    },
    take: (value) => {
      if (typeof value === 'string') return numbers.get(value) ?? new Refusal('is not a name of the enum')
      const number = integerOf(value, range)
      return number instanceof Refusal ? number : Number(number)
    },
    isZero: (taken) => taken === 0,
    put: (writer, taken) => writer.int32(taken),
  })
}

/** `google.protobuf.NullValue`: JSON's null. */
export const nullValue: Scalar = {
  ...enumScalar([['NULL_VALUE', 0]]),
  shape: { type: 'null' },
  zero: null,
  read: (input) => {
    input.varint()
    return null
  },
  write: (value, writer, { tag, zeroLeftOut }) => {
    if (value !== null && value !== 'NULL_VALUE' && value !== 0) return 'must be null'
    if (zeroLeftOut) return undefined
    if (tag !== undefined) writer.uint32(tag)
    writer.int32(0)
    return undefined
  },
}

const booleans = new Map([
  ['true', true],
  ['false', false],
])
const canonicalInteger = /^(?:0|-?[1-9]\d{0,19})$/

/** Keys of maps are names of properties in JSON. They have one spelling each, so that no two properties are the same key. */
export function mapKey(type: string): MapKey | undefined {
  const found = scalars.get(type)
  if (!found) return undefined
  if (type === 'string') return { scalar: found, names: found.shape, parse: (name) => name }
  if (type === 'bool') return { scalar: found, names: { enum: ['true', 'false'] }, parse: (name) => booleans.get(name) }
  return { scalar: found, names: digits, parse: (name) => (canonicalInteger.test(name) ? name : undefined) }
}
