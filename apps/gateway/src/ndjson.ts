/** Newline-delimited JSON, line by line as it arrives. Never more of it is held than one line and what one read of the network brought. */

/** A line without its end, or one that was longer than it may be. */
export type Line = { readonly bytes: Buffer } | { readonly tooLong: true }

const newline = 0x0a
const tooLong = { tooLong: true } as const

/**
 * The lines of a body that are not empty, in the portions in which they came. The last one needs no end. `hold` is told how much is
 * kept of a line that has not ended.
 */
export async function* linesOf(
  body: AsyncIterable<Buffer>,
  lineBytesMax: number,
  hold: (bytes: number) => void,
): AsyncGenerator<readonly Line[]> {
  const splitter = new LineSplitter(lineBytesMax)
  for await (const chunk of body) {
    const lines = splitter.split(chunk)
    hold(splitter.kept)
    if (lines.length > 0) yield lines
  }
  const last = splitter.end()
  if (last.length > 0) yield last
}

class LineSplitter {
  readonly #lineBytesMax: number
  /** What came of a line that has not ended. */
  #parts: Buffer[] = []
  #bytes = 0

  constructor(lineBytesMax: number) {
    this.#lineBytesMax = lineBytesMax
  }

  get kept(): number {
    return this.#parts.length === 0 ? 0 : this.#bytes
  }

  split(chunk: Buffer): Line[] {
    const lines: Line[] = []
    let start = 0
    for (let end = chunk.indexOf(newline); end !== -1; end = chunk.indexOf(newline, start)) {
      this.#keep(chunk.subarray(start, end))
      lines.push(...this.end())
      start = end + 1
    }
    this.#keep(chunk.subarray(start))
    return lines
  }

  /** The line that ends here, unless there is nothing in it. */
  end(): Line[] {
    const [first] = this.#parts
    const bytes = this.#parts.length === 1 && first ? first : Buffer.concat(this.#parts)
    const isTooLong = this.#bytes > this.#lineBytesMax
    this.#parts = []
    this.#bytes = 0
    if (isTooLong) return [tooLong]
    return isBlank(bytes) ? [] : [{ bytes }]
  }

  #keep(part: Buffer): void {
    this.#bytes += part.length
    if (this.#bytes > this.#lineBytesMax) this.#parts = []
    else if (part.length > 0) this.#parts.push(part)
  }
}

/** Spaces, tabs and carriage returns alone. */
function isBlank(bytes: Buffer): boolean {
  return bytes.every((byte) => byte === 0x20 || byte === 0x09 || byte === 0x0d)
}
