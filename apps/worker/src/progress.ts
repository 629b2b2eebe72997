/**
 * How far the work on a partition has come, where records are finished in any order. What is committed is the offset of the first record
 * that is not finished, and beside it, as the commit's metadata, which of those behind it are: so one record that takes long holds up no
 * others, and whoever goes on from there does none of them twice.
 *
 * The metadata is `v2:`, the id of the topic, `:` and a bitmap in Base64, bit n for the record n places behind the offset. Kafka takes 4 096
 * characters of it (`offset.metadata.max.bytes`). It keeps commits by the topic's name: by the id one that is left of a topic that was
 * deleted is told from those of one of its name that was made since. Confluent's Parallel Consumer keeps its place in this way too.
 * @see https://github.com/confluentinc/parallel-consumer
 */
import type { Committed } from '@millrace/kafka/group-member'

/** A bitmap of so many places takes 2 732 characters. */
export const spreadMax = 16_384

const version = 'v2'
const beginning = 0n
const bitsPerByte = 8

/** A commit, and how many records behind its offset are finished. */
export type Committable = Committed & { readonly beyond: number }

export class Progress {
  readonly #topicId: string
  #next: bigint
  /** In order. */
  readonly #unfinished = new Set<bigint>()
  /** Those behind the first that is not. */
  readonly #finished: Set<bigint>

  constructor({ offset, metadata }: Committed, topicId: string) {
    this.#topicId = topicId
    const noted = notedIn(metadata)
    const isOfAnother = noted !== undefined && noted.topicId !== topicId
    this.#next = isOfAnother ? beginning : offset
    const places = noted === undefined || isOfAnother ? [] : noted.places
    this.#finished = new Set(places.map((place) => offset + BigInt(place)))
  }

  /** The offset after the last record that was begun. */
  get next(): bigint {
    return this.#next
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
  committable(also: Iterable<bigint> = []): Committable {
    const finished = new Set([...this.#finished, ...also])
    let offset = this.#next
    for (const unfinished of this.#unfinished) {
      if (finished.has(unfinished)) continue
      offset = unfinished
      break
    }
    const behind = [...finished].filter((one) => one > offset)
    return {
      offset,
      beyond: behind.length,
      metadata: metadataOf(
        this.#topicId,
        behind.map((one) => Number(one - offset)),
      ),
    }
  }

  #base(): bigint {
    const [first = this.#next] = this.#unfinished
    return first
  }
}

function metadataOf(topicId: string, places: readonly number[]): string {
  const bits = Buffer.alloc(Math.ceil((Math.max(-1, ...places) + 1) / bitsPerByte))
  for (const place of places) {
    const at = Math.floor(place / bitsPerByte)
    bits[at] = (bits[at] ?? 0) | (1 << (place % bitsPerByte))
  }
  return [version, topicId, bits.toString('base64url')].join(':')
}

type Noted = { readonly topicId: string; readonly places: readonly number[] }

/** In anything else (somebody has set the offset by a tool) nothing is noted. */
function notedIn(metadata: string): Noted | undefined {
  const [prefix, topicId, bitmap] = metadata.split(':')
  if (prefix !== version || topicId === undefined || bitmap === undefined) return undefined
  const places: number[] = []
  for (const [at, byte] of Buffer.from(bitmap, 'base64url').entries()) {
    for (let bit = 0; bit < bitsPerByte; bit += 1) if (byte & (1 << bit)) places.push(at * bitsPerByte + bit)
  }
  return { topicId, places }
}
