/** Reads the values of Protobuf's wire format, within bounds, strictly. */
import { isUtf8 } from 'node:buffer'
import { type JsonPointer, pointerOf } from '@millrace/core/json'

/** How a value is laid out on the wire: varint, eight bytes, length and bytes, four bytes. */
export type WireType = 0 | 1 | 2 | 5

const nestingMax = 64
/** Absent fields that readers see take no bytes, so they have a bound of their own: so many, and so many a byte. */
const absentMin = 100_000
const absentPerByteMax = 2
/**
 * What a payload may take to read, in units of about 25 ns, which a packed number takes: some 30 ms. A mebibyte of packed numbers is
 * within it, and so are 100 000 small messages.
 */
const unitsMax = 1_200_000
/** What is read is made of these. */
export const wireUnits = { number: 1, text: 4, message: 6, defaults: 3, entry: 20, superseded: 30 } as const
const shortTextMax = 16

/**
 * Thrown through the readers and caught where a payload's reading starts: nothing after the first fault has a meaning,
 * and to hand it up through every level would cost each sound payload.
 */
export class WireFault extends Error {
  readonly pointer: JsonPointer

  constructor(pointer: JsonPointer, message: string) {
    super(message)
    this.name = 'WireFault'
    this.pointer = pointer
  }
}

/**
 * A place in a payload, and the end of what is read there.
 * @see https://protobuf.dev/programming-guides/encoding/
 */
export class WireInput {
  position = 0
  end: number
  /** Where the message that is read stands in the payload. */
  readonly path: (string | number)[] = []
  /** Which of its fields is read, and which item of it. */
  field: { readonly jsonName: string } | undefined
  item: number | undefined
  /** The upper half of the last varint or fixed integer of 64 bits. */
  high = 0

  readonly #bytes: Buffer
  #nesting = 0
  #unitsLeft = unitsMax
  #absentLeft: number

  constructor(bytes: Buffer) {
    this.#bytes = bytes
    this.end = bytes.length
    this.#absentLeft = absentMin + absentPerByteMax * bytes.length
  }

  fail(detail: string, position = this.position): never {
    const name = this.field === undefined ? [] : [this.field.jsonName]
    const item = this.item === undefined ? [] : [this.item]
    throw new WireFault(pointerOf(...this.path, ...name, ...item), `${detail}, at byte ${position}`)
  }

  enter(): void {
    if (++this.#nesting > nestingMax) this.fail(`is nested more than ${nestingMax} messages deep`)
  }

  leave(): void {
    this.#nesting--
  }

  /** Counts what values that will be kept take. */
  spend(units: number): void {
    this.#unitsLeft -= units
    if (this.#unitsLeft < 0) this.fail('has more values than any payload may: send less at once')
  }

  /** Counts a message, with as many fields that may be absent. */
  spendMessage(absent: number): void {
    this.#absentLeft -= absent
    if (this.#absentLeft < 0) this.fail('has more values than so few bytes should')
    this.spend(wireUnits.message + (absent === 0 ? 0 : wireUnits.defaults + absent))
  }

  /** The lower 32 bits of a varint, unsigned; the upper ones are in `high`. */
  varint(): number {
    const first = this.#byte()
    this.high = 0
    return first < 0x80 ? first : this.#longVarint(first)
  }

  #longVarint(first: number): number {
    const start = this.position - 1
    let low = first & 0x7f
    for (let shift = 7; shift < 28; shift += 7) {
      const byte = this.#byte()
      low |= (byte & 0x7f) << shift
      if (byte < 0x80) return low
    }
    const middle = this.#byte()
    low = (low | ((middle & 0x0f) << 28)) >>> 0
    let high = (middle & 0x7f) >>> 4
    for (let byte = middle, shift = 3; byte >= 0x80; shift += 7) {
      byte = this.#byte()
      if (shift > 31 || (shift === 31 && byte > 1)) this.fail('has a varint of more than 64 bits', start)
      high |= (byte & 0x7f) << shift
    }
    this.high = high >>> 0
    return low
  }

  /** A field's number and its wire type, in the lowest three bits. */
  tag(): number {
    const start = this.position
    const tag = this.varint()
    if (this.high !== 0) this.fail('has a field number of more than 29 bits', start)
    if (tag < 8) this.fail('has a field with the number 0', start)
    return tag
  }

  /** Where the value that starts with its length ends. */
  delimited(): number {
    const start = this.position
    const length = this.varint()
    const left = this.end - this.position
    if (this.high !== 0 || length > left)
      this.fail(`says that it goes on for longer than the ${left} bytes left`, start)
    return this.position + length
  }

  /** The lower 32 bits of eight bytes, unsigned; the upper ones are in `high`. */
  fixed64(): number {
    const start = this.#take(8)
    this.high = this.#bytes.readUInt32LE(start + 4)
    return this.#bytes.readUInt32LE(start)
  }

  fixed32(): number {
    return this.#bytes.readUInt32LE(this.#take(4))
  }

  float(): number {
    return this.#bytes.readFloatLE(this.#take(4))
  }

  double(): number {
    return this.#bytes.readDoubleLE(this.#take(8))
  }

  text(): string {
    const end = this.delimited()
    const start = this.position
    this.position = end
    if (end - start <= shortTextMax) {
      const short = this.#ascii(start, end)
      if (short !== undefined) return short
    }
    const text = this.#bytes.toString('utf8', start, end)
    // What is not UTF-8 becomes U+FFFD, which may also be what was sent.
    if (text.includes('\ufffd') && !isUtf8(this.#bytes.subarray(start, end))) this.fail('is not UTF-8', start)
    return text
  }

  /** Short ASCII is read faster than Node can be asked for it. */
  #ascii(start: number, end: number): string | undefined {
    let text = ''
    for (let index = start; index < end; index++) {
      const byte = this.#bytes[index] ?? 0x80
      if (byte >= 0x80) return undefined
      text += String.fromCharCode(byte)
    }
    return text
  }

  base64(): string {
    const end = this.delimited()
    const start = this.position
    this.position = end
    return this.#bytes.toString('base64', start, end)
  }

  skip(wireType: number): void {
    switch (wireType) {
      case 0:
        this.varint()
        return
      case 1:
        this.#take(8)
        return
      case 2:
        this.position = this.delimited()
        return
      case 5:
        this.#take(4)
        return
      default:
        this.fail(wireType < 5 ? 'has a group, which proto3 does not know' : `has the wire type ${wireType}`)
    }
  }

  expect(wireType: number, expected: WireType): void {
    if (wireType !== expected) this.fail(`has the wire type ${wireType} and not ${expected}, as its type has`)
  }

  #byte(): number {
    const byte = this.position < this.end ? this.#bytes[this.position] : undefined
    if (byte === undefined) this.fail('ends in the middle of a value')
    this.position++
    return byte
  }

  #take(length: number): number {
    const start = this.position
    if (length > this.end - start) this.fail('ends in the middle of a value')
    this.position += length
    return start
  }
}
