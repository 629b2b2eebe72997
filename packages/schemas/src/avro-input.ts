import { isUtf8 } from 'node:buffer'
import type { Violation } from '@millrace/core/cloud-event'
import { pointerOf } from '@millrace/core/json'

const nestingMax = 64
/** JSON is longer than Avro by the names of its fields; data that grows by more than this was made to. */
const jsonPerByteMax = 64
const jsonLengthFree = 64 * 1024
const jsonLengthMax = 16 * 1024 * 1024
/**
 * What data may take to read, in units of about 25 ns, which an item of an array takes: some 30 ms. A mebibyte of small numbers is
 * within it, and so are 160 000 small records.
 */
const unitsMax = 1_200_000
export const readUnits = { item: 1, block: 2, string: 2, structure: 4, entry: 20 } as const
const two28 = 2 ** 28
/** Up to this length it is faster to look at each byte than to call what decodes UTF-8. */
const shortLength = 24

/** What a read gives instead of a value when the input has a fault. */
export const failed = Symbol('failed')
export type Failed = typeof failed

/**
 * Bytes in Avro's binary encoding, read from the first to the last and none twice. Whatever is read is bounded: in nesting, and in how long
 * the data becomes as JSON. A read that finds something wrong returns `failed` and notes the first fault.
 */
export class AvroInput {
  readonly bytes: Buffer
  position = 0
  #nesting = 0
  #jsonLeft: number
  #unitsLeft = unitsMax
  #fault: string | undefined
  readonly #path: (string | number)[] = []

  /** @param schemaLength the length of the schema as text: so much any datum may take, whatever its own length */
  constructor(bytes: Buffer, schemaLength: number) {
    this.bytes = bytes
    this.#jsonLeft = Math.min(jsonLengthFree + schemaLength + jsonPerByteMax * bytes.length, jsonLengthMax)
  }

  get left(): number {
    return this.bytes.length - this.position
  }

  /** Notes what is wrong, unless something was before. */
  fail(detail: string): Failed {
    this.#fault ??= detail
    return failed
  }

  /** Says, on the way out of a read that failed, where in the data it was. */
  at(token: string | number): Failed {
    this.#path.push(token)
    return failed
  }

  violation(): Violation {
    return { pointer: pointerOf(...this.#path.toReversed()), detail: this.#fault ?? 'cannot be read' }
  }

  /** Goes into a record, an array or a map, which as JSON is at least `jsonLength` long. */
  enter(jsonLength: number): boolean {
    if (++this.#nesting > nestingMax) {
      this.fail(`is nested deeper than ${nestingMax} levels at byte ${this.position}`)
      return false
    }
    return this.spend(readUnits.structure) && this.take(jsonLength)
  }

  leave(): void {
    this.#nesting--
  }

  /** Takes from what the data may become as JSON. */
  take(jsonLength: number): boolean {
    this.#jsonLeft -= jsonLength
    if (this.#jsonLeft >= 0) return true
    this.fail(`at byte ${this.position} the data becomes too large: ${this.bytes.length} bytes say too much`)
    return false
  }

  /** Counts what reading takes. */
  spend(units: number): boolean {
    this.#unitsLeft -= units
    if (this.#unitsLeft >= 0) return true
    this.fail(`has more values up to byte ${this.position} than any data may: send less at once`)
    return false
  }

  /** A long: a number where that is exact, else its decimal digits. */
  long(): number | string | Failed {
    const start = this.position
    const first = this.bytes[start]
    // Most numbers are lengths, indexes and counts of one byte.
    if (first !== undefined && first < 0x80) {
      this.position = start + 1
      return first & 1 ? -(first + 1) / 2 : first >> 1
    }
    const low = this.#bits(4)
    if (low === failed) return failed
    if (this.#ended()) return low % 2 === 0 ? low / 2 : -(low + 1) / 2
    const middle = this.#bits(4)
    if (middle === failed) return failed
    const high = this.#ended() ? 0 : this.#bits(2)
    if (high === failed) return failed
    if (!this.#ended() || high > 0xff) return this.fail(`has a number of more than 64 bits at byte ${start}`)
    const bits = low + middle * two28
    if (high === 0 && bits <= Number.MAX_SAFE_INTEGER) return bits % 2 === 0 ? bits / 2 : -(bits + 1) / 2
    return exactly((BigInt(high) << 56n) | (BigInt(middle) << 28n) | BigInt(low))
  }

  /** Whether the byte just read is the last of its number. */
  #ended(): boolean {
    return (this.bytes[this.position - 1] ?? 0) < 0x80
  }

  /** Up to `count` groups of seven bits, the lowest first. */
  #bits(count: number): number | Failed {
    let bits = 0
    for (let shift = 0; shift < 7 * count; shift += 7) {
      const byte = this.bytes[this.position++]
      if (byte === undefined) return this.#truncated('a number')
      bits |= (byte & 0x7f) << shift
      if (byte < 0x80) break
    }
    return bits
  }

  int(): number | Failed {
    const start = this.position
    const value = this.long()
    if (value === failed) return failed
    if (typeof value === 'number' && (value | 0) === value) return value
    return this.fail(`has ${value} at byte ${start}, which is beyond an int of 32 bits`)
  }

  /** An index into something that has `count` of them. */
  index(count: number, what: string): number | Failed {
    const start = this.position
    const value = this.long()
    if (value === failed) return failed
    if (typeof value === 'number' && value >= 0 && value < count) return value
    return this.fail(`names ${what} ${value} at byte ${start}, where there are ${count}`)
  }

  /** The start of the next so many bytes. */
  skip(length: number, what: string): number | Failed {
    const start = this.position
    if (length > this.left) return this.#truncated(what)
    this.position += length
    return start
  }

  /** The start of what stands behind its own length. */
  prefixed(what: string): number | Failed {
    const start = this.position
    const length = this.long()
    if (length === failed) return failed
    if (typeof length === 'number' && length >= 0 && length <= this.left) return this.skip(length, what)
    return this.fail(`has ${what} of ${length} bytes at byte ${start}, where ${this.left} are left`)
  }

  string(): string | Failed {
    if (!this.spend(readUnits.string)) return failed
    const start = this.prefixed('a string')
    if (start === failed) return failed
    return this.#ascii(start, this.position) ?? this.#utf8(start, this.position)
  }

  #ascii(start: number, end: number): string | undefined {
    if (end - start > shortLength) return undefined
    let text = ''
    for (let index = start; index < end; index++) {
      const byte = this.bytes[index] ?? 0x80
      if (byte >= 0x80) return undefined
      text += String.fromCharCode(byte)
    }
    return text
  }

  #utf8(start: number, end: number): string | Failed {
    const text = this.bytes.toString('utf8', start, end)
    // What is not UTF-8 is decoded to this character, which may also have been meant.
    if (!text.includes('\ufffd') || isUtf8(this.bytes.subarray(start, end))) return text
    return this.fail(`has a string at byte ${start} that is not UTF-8`)
  }

  #truncated(what: string): Failed {
    return this.fail(`ends after ${this.bytes.length} bytes within ${what}`)
  }
}

function exactly(bits: bigint): number | string {
  const value = bits & 1n ? -((bits + 1n) >> 1n) : bits >> 1n
  const number = Number(value)
  return Number.isSafeInteger(number) ? number : value.toString()
}
