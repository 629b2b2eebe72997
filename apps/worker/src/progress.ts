/**
 * How far the work on a partition has come, where records are finished in any order. What is committed is the offset of the first record
 * that is not finished, and beside it, as the commit's metadata, which of those behind it are: so one record that takes long holds up no
 * others, and whoever goes on from there does none of them twice.
 *
 * The metadata is `v1:` and a bitmap in Base64, bit n for the record n places behind the offset. Kafka takes 4 096 characters of it
 * (`offset.metadata.max.bytes`). Confluent's Parallel Consumer keeps its place in this way too.
 * @see https://github.com/confluentinc/parallel-consumer
 */
import type { Committed } from '@millrace/kafka/group-member'

/** A bitmap of so many places takes 2 732 characters. */
export const spreadMax = 16_384

const version = 'v1:'
const bitsPerByte = 8

export class Progress {
  #next: bigint
  /** In order. */
  readonly #unfinished = new Set<bigint>()
  /** Those behind the first that is not. */
  readonly #finished: Set<bigint>

  constructor({ offset, metadata }: Committed) {
    this.#next = offset
    this.#finished = new Set([...finishedIn(metadata)].map((place) => offset + BigInt(place)))
  }

  /**
   * Begins with a record. They come in the order of their offsets.
   * @returns false for one that is finished already
   */
  begin(offset: bigint): boolean {
    this.#next = offset + 1n
    if (this.#finished.has(offset)) return false
    this.#unfinished.add(offset)
    return true
  }

  /** Whether a record may be begun: what lies further behind the first that is not finished has no room in a commit. */
  reaches(offset: bigint): boolean {
    const [first = offset] = this.#unfinished
    return offset - first < spreadMax
  }

  finish(offset: bigint): void {
    const former = this.#base()
    if (!this.#unfinished.delete(offset)) return
    this.#finished.add(offset)
    const base = this.#base()
    if (base === former) return
    for (const finished of this.#finished) if (finished < base) this.#finished.delete(finished)
  }

  /** How far apart the first record that is not finished and the last that was begun are. */
  get spread(): number {
    return Number(this.#next - this.#base())
  }

  /** What is to be committed when these are finished too. */
  committable(also: Iterable<bigint> = []): Committed {
    const finished = new Set([...this.#finished, ...also])
    let offset = this.#next
    for (const unfinished of this.#unfinished) {
      if (finished.has(unfinished)) continue
      offset = unfinished
      break
    }
    const behind = [...finished].filter((one) => one > offset)
    return { offset, metadata: metadataOf(behind.map((one) => Number(one - offset))) }
  }

  #base(): bigint {
    const [first = this.#next] = this.#unfinished
    return first
  }
}

function metadataOf(places: readonly number[]): string {
  if (places.length === 0) return ''
  const bits = Buffer.alloc(Math.floor(Math.max(...places) / bitsPerByte) + 1)
  for (const place of places) {
    const at = Math.floor(place / bitsPerByte)
    bits[at] = (bits[at] ?? 0) | (1 << (place % bitsPerByte))
  }
  return version + bits.toString('base64url')
}

/** Of anything else (somebody has set the offset by a tool) there is none. */
function finishedIn(metadata: string): Set<number> {
  const places = new Set<number>()
  if (!metadata.startsWith(version)) return places
  for (const [at, byte] of Buffer.from(metadata.slice(version.length), 'base64url').entries()) {
    for (let bit = 0; bit < bitsPerByte; bit += 1) if (byte & (1 << bit)) places.add(at * bitsPerByte + bit)
  }
  return places
}
