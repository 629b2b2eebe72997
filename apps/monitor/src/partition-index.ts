/**
 * How many records a partition has before an offset. Offsets have holes (of transactions' markers, of what was aborted), so subtracting them
 * does not tell. Records are known one by one from a place on that moves along; before it, only how many there were.
 */

/** What an index is made from again. */
export type IndexState = {
  /** There was nothing before this offset when it began. */
  readonly origin: number
  /** From this offset on records are to be read again. */
  readonly start: number
  /** Up to here they were read, */
  readonly next: number
  /** and so many there were. */
  readonly count: number
}

/** Of so many records at least, the offset and minute are kept; of the oldest, then, only that they were there. */
export const indexedMin = 100_000

export class PartitionIndex {
  #start: number
  /** How many records there were before `#start`; `undefined` until all that was read before is read again. */
  #before: number | undefined
  #next: number
  #mark: number
  #offsets: number[] = []
  #minutes: string[] = []
  readonly #former: IndexState

  constructor(state: IndexState) {
    this.#former = state
    this.#start = state.start
    this.#next = state.start
    this.#mark = state.start
    this.#find()
  }

  /** The offset after the last record. */
  get next(): number {
    return this.#next
  }

  /** How many records there are. */
  get count(): number {
    return this.#before === undefined ? this.#former.count : this.#before + this.#offsets.length
  }

  get state(): IndexState {
    const { origin, next } = this.#former
    return { origin, start: this.#start, next: Math.max(this.#next, next), count: this.count }
  }

  /**
   * Adds a record. They come in the order of their offsets.
   * @returns whether it is new, and not one that was there in an earlier life
   */
  append(offset: number, minute: string): boolean {
    if (offset < this.#next) return false
    this.reach(offset)
    this.#offsets.push(offset)
    this.#minutes.push(minute)
    this.#next = offset + 1
    this.#find()
    if (this.#offsets.length >= indexedMin * 2) this.#drop(this.#offsets.length - indexedMin)
    return offset >= this.#former.next
  }

  /** There is nothing more before an offset. */
  reach(offset: number): void {
    if (offset <= this.#next) return
    this.#next = offset
    this.#find()
  }

  /** @returns `undefined` where it is not known: any more, or yet */
  countBefore(offset: number): number | undefined {
    if (offset <= this.#former.origin) return 0
    if (this.#before === undefined || offset < this.#start || offset > this.#next) return undefined
    return this.#before + this.#placeOf(offset)
  }

  /** Whether it cannot be known any more how many records there are before an offset. */
  hasLost(offset: number): boolean {
    return offset < this.#start && offset !== this.#former.origin
  }

  /** The minutes of the records from an offset up to, but without, another, as far as they are known. */
  minutesBetween(from: number, to: number): readonly string[] {
    return this.#minutes.slice(this.#placeOf(from), this.#placeOf(to))
  }

  /**
   * Says that nobody needs what is before an offset. It goes when that is said the next time: whoever was there then may still tell of a
   * place a little further back.
   */
  release(offset: number): void {
    const place = this.#placeOf(this.#mark)
    if (place > 0) this.#drop(place)
    this.#mark = Math.max(this.#mark, offset)
  }

  #find(): void {
    if (this.#before !== undefined || this.#next < this.#former.next) return
    this.#before = this.#former.count - this.#placeOf(this.#former.next)
  }

  #drop(records: number): void {
    if (this.#before === undefined) return
    this.#before += records
    this.#start = (this.#offsets[records - 1] ?? this.#start - 1) + 1
    this.#offsets = this.#offsets.slice(records)
    this.#minutes = this.#minutes.slice(records)
  }

  /** The place of the first record at or after an offset. */
  #placeOf(offset: number): number {
    let [low, high] = [0, this.#offsets.length]
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#offsets[middle] ?? Infinity) < offset) low = middle + 1
      else high = middle
    }
    return low
  }
}
