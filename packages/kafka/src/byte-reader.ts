import { isUtf8 } from 'node:buffer'

/** Reads the values of Kafka's protocol from bytes, one after the other. All throw RangeError where the bytes end too early. */
export class ByteReader {
  readonly #bytes: Buffer
  #at: number

  constructor(bytes: Buffer, at = 0) {
    this.#bytes = bytes
    this.#at = at
  }

  get at(): number {
    return this.#at
  }

  skip(bytes: number): void {
    this.#at += bytes
  }

  int16(): number {
    this.#at += 2
    return this.#bytes.readInt16BE(this.#at - 2)
  }

  int32(): number {
    this.#at += 4
    return this.#bytes.readInt32BE(this.#at - 4)
  }

  int64(): bigint {
    this.#at += 8
    return this.#bytes.readBigInt64BE(this.#at - 8)
  }

  uuid(): string {
    const hex = this.bytes(16).toString('hex')
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
  }

  /** The length of a compact array, string or of records; -1 for null. */
  length(): number {
    return this.#unsigned() - 1
  }

  /** A whole number as Protocol Buffers' sint64 writes it; exact below 2^52. */
  varint(): number {
    const zigzag = this.#unsigned()
    return zigzag % 2 === 0 ? zigzag / 2 : -(zigzag + 1) / 2
  }

  bytes(length: number): Buffer {
    const from = this.#at
    this.#at += length
    if (this.#at > this.#bytes.length) throw new RangeError(`${length} bytes are announced and not there`)
    return this.#bytes.subarray(from, this.#at)
  }

  /** Bytes, or null for the length -1. */
  nullable(length: number): Buffer | null {
    return length < 0 ? null : this.bytes(length)
  }

  /** Another reader of the same bytes. */
  from(at: number): ByteReader {
    return new ByteReader(this.#bytes, at)
  }

  /**
   * Many short texts, each behind its length: cut out of one string, since a call into native code costs more than most of them. They
   * are exact unless one of them is null, or not UTF-8.
   */
  texts(count: number, end: number): { readonly texts: string[]; readonly exact: boolean } {
    const start = this.#at
    const all = this.bytes(end - start).toString('latin1')
    const isAscii = !beyondAscii.test(all)
    this.#at = start
    const texts: string[] = []
    let exact = true
    for (let left = count; left > 0; left--) {
      const announced = this.varint()
      const length = Math.max(0, announced)
      const from = this.#at
      this.#at += length
      if (this.#at > end) throw new RangeError(`a text of ${length} bytes is announced and not there`)
      const text = all.slice(from - start, this.#at - start)
      const plain = isAscii || !beyondAscii.test(text)
      texts.push(plain ? text : this.#bytes.toString('utf8', from, this.#at))
      exact &&= announced >= 0 && (plain || isUtf8(this.#bytes.subarray(from, this.#at)))
    }
    return { texts, exact }
  }

  /** Steps over the fields that later versions may add. */
  skipTags(): void {
    for (let count = this.#unsigned(); count > 0; count--) {
      this.#unsigned() // which
      this.skip(this.#unsigned())
    }
  }

  #unsigned(): number {
    let value = 0
    let scale = 1
    for (;;) {
      const byte = this.#bytes.readUInt8(this.#at++)
      value += (byte % 128) * scale
      if (byte < 128) return value
      scale *= 128
    }
  }
}

const beyondAscii = /[\x80-\xff]/
