import type { Violation } from '@millrace/core/cloud-event'
import { pointerOf } from '@millrace/core/json'
import { violationsMax } from './json-schema.ts'
import { TooMuchWork } from './work-budget.ts'

const sizeFirst = 512
/** Up to this length it is faster to write each character than to call what encodes. */
const shortLength = 24
/** The defaults of missing fields may make data larger than its JSON, but not by any amount. */
const encodedSizeMax = 16 * 1024 * 1024

/** What JSON may take to write, in units of about 25 ns: some 30 ms. Of an integer beyond 2^53 each digit is looked at. */
const unitsMax = 1_200_000
export const writeUnits = { value: 3, structure: 6, entry: 20, exact: 25 } as const

/** Bytes in Avro's binary encoding as they are written, with all that was wrong with what should have been. */
export class AvroOutput {
  readonly violations: Violation[] = []
  /** Where in the data the writer is. */
  readonly path: (string | number)[] = []
  readonly #sizeMax: number
  #bytes = Buffer.allocUnsafe(sizeFirst)
  #size = 0
  #unitsLeft = unitsMax

  constructor(sizeMax = encodedSizeMax) {
    this.#sizeMax = sizeMax
  }

  /** Whether to look no further: enough is wrong, or the data became too large. */
  get full(): boolean {
    return this.violations.length >= violationsMax || this.#size > this.#sizeMax || this.#unitsLeft < 0
  }

  /** Counts what writing takes. */
  spend(units: number): void {
    if (this.#unitsLeft < 0) return
    this.#unitsLeft -= units
    if (this.#unitsLeft < 0) this.violations.push({ pointer: '', detail: new TooMuchWork().message })
  }

  taken(): Buffer {
    return this.#bytes.subarray(0, this.#size)
  }

  fail(detail: string, ...inner: readonly string[]): void {
    if (!this.full) this.violations.push({ pointer: pointerOf(...this.path, ...inner), detail })
  }

  byte(value: number): void {
    const at = this.#grow(1)
    if (at !== undefined) this.#bytes[at] = value
  }

  copy(bytes: Buffer): void {
    const at = this.#grow(bytes.length)
    if (at !== undefined) bytes.copy(this.#bytes, at)
  }

  float(value: number): void {
    const at = this.#grow(4)
    if (at !== undefined) this.#bytes.writeFloatLE(value, at)
  }

  double(value: number): void {
    const at = this.#grow(8)
    if (at !== undefined) this.#bytes.writeDoubleLE(value, at)
  }

  long(value: number | bigint): void {
    if (typeof value === 'bigint') {
      this.#bigLong(value)
      return
    }
    // Zigzag: the sign becomes the lowest bit, so that small numbers are short.
    let rest = value < 0 ? -2 * value - 1 : 2 * value
    if (rest > Number.MAX_SAFE_INTEGER) {
      this.#bigLong(BigInt(value))
      return
    }
    for (; rest > 0x7fffffff; rest = Math.floor(rest / 0x80)) this.byte((rest % 0x80) | 0x80)
    for (; rest > 0x7f; rest >>>= 7) this.byte((rest & 0x7f) | 0x80)
    this.byte(rest)
  }

  #bigLong(value: bigint): void {
    let rest = value < 0n ? -2n * value - 1n : 2n * value
    for (; rest > 0x7fn; rest >>= 7n) this.byte(Number(rest & 0x7fn) | 0x80)
    this.byte(Number(rest))
  }

  text(value: string, encoding: 'utf8' | 'latin1'): void {
    if (value.length <= shortLength && this.#shortAscii(value)) return
    const length = Buffer.byteLength(value, encoding)
    this.long(length)
    this.unprefixed(value, length, encoding)
  }

  /** Writes a short text with its length, if it is ASCII. */
  #shortAscii(value: string): boolean {
    const at = this.#grow(value.length + 1)
    if (at === undefined) return true
    this.#bytes[at] = 2 * value.length
    for (let index = 0; index < value.length; index++) {
      const code = value.charCodeAt(index)
      if (code >= 0x80) {
        this.#size = at
        return false
      }
      this.#bytes[at + 1 + index] = code
    }
    return true
  }

  unprefixed(value: string, length: number, encoding: 'utf8' | 'latin1'): void {
    const at = this.#grow(length)
    if (at !== undefined) this.#bytes.write(value, at, length, encoding)
  }

  /** Where the next so many bytes go; `undefined` when that would be too much. */
  #grow(length: number): number | undefined {
    const at = this.#size
    const size = at + length
    if (size > this.#sizeMax) {
      if (at <= this.#sizeMax)
        this.violations.push({ pointer: '', detail: `is larger than ${this.#sizeMax} bytes in Avro` })
      this.#size = size
      return undefined
    }
    this.#size = size
    if (size <= this.#bytes.length) return at
    const grown = Buffer.allocUnsafe(Math.max(size, 2 * this.#bytes.length))
    this.#bytes.copy(grown, 0, 0, at)
    this.#bytes = grown
    return at
  }
}
