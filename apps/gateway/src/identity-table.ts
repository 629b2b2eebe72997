/**
 * Identities of events and where the first of each is, in typed arrays: some 70 bytes an identity, none of them an object that the garbage
 * collector would have to visit. The oldest makes room for the newest. Keys are hashes, 16 bytes as characters of a string.
 */

/** Where an event is, as its receipt says it. */
export type Place = {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly timestampMs: number
  readonly schemaId: number
}

export type IdentityTable = {
  readonly find: (key: string) => Place | undefined
  /** Whether an identity is there with this fingerprint. */
  readonly has: (key: string, fingerprint: string) => boolean
  /** Adds an identity, or puts another place in the place of the one that it had. */
  readonly put: (key: string, fingerprint: string, place: Place) => void
  readonly size: () => number
}

const words = 11
const keyWords = 4
const topicWord = 8
const partitionWord = 9
const schemaWord = 10
const numbers = 2

/** Makes an empty table. Its memory is taken as it fills. */
export function createIdentityTable(capacity: number): IdentityTable {
  return new RingTable(capacity)
}

class RingTable implements IdentityTable {
  readonly #capacity: number
  readonly #words: Uint32Array
  readonly #numbers: Float64Array
  /** Open addressing: the slot of a key, plus one, at the place that the key's first word names or soon after it. */
  readonly #index: Uint32Array
  readonly #mask: number
  readonly #topics: string[] = []
  readonly #topicNumbers = new Map<string, number>()
  readonly #probe = new Uint32Array(keyWords)
  #next = 0
  #size = 0

  constructor(capacity: number) {
    this.#capacity = capacity
    this.#words = new Uint32Array(capacity * words)
    this.#numbers = new Float64Array(capacity * numbers)
    this.#index = new Uint32Array(2 ** Math.ceil(Math.log2(capacity * 2)))
    this.#mask = this.#index.length - 1
  }

  readonly size = (): number => this.#size

  readonly find = (key: string): Place | undefined => {
    const slot = this.#slotOf(key)
    return slot === undefined ? undefined : this.#placeAt(slot)
  }

  readonly has = (key: string, fingerprint: string): boolean => {
    const slot = this.#slotOf(key)
    return slot !== undefined && this.#fingerprintAt(slot) === fingerprint
  }

  readonly put = (key: string, fingerprint: string, place: Place): void => {
    const slot = this.#slotOf(key) ?? this.#takeSlot()
    for (let word = 0; word < keyWords; word++) {
      this.#words[slot * words + keyWords + word] = Number.parseInt(fingerprint.slice(word * 8, word * 8 + 8), 16)
    }
    this.#words[slot * words + topicWord] = this.#topicNumber(place.topic)
    this.#words[slot * words + partitionWord] = place.partition
    this.#words[slot * words + schemaWord] = place.schemaId
    this.#numbers[slot * numbers] = place.offset
    this.#numbers[slot * numbers + 1] = place.timestampMs
  }

  /** Leaves the words of the key in `#probe`. */
  #slotOf(key: string): number | undefined {
    for (let word = 0; word < keyWords; word++) this.#probe[word] = wordOf(key, word * 4)
    for (let at = this.#home(this.#probe[0] ?? 0); ; at = (at + 1) & this.#mask) {
      const entry = this.#index[at] ?? 0
      if (entry === 0) return undefined
      if (this.#holdsProbe(entry - 1)) return entry - 1
    }
  }

  #holdsProbe(slot: number): boolean {
    for (let word = 0; word < keyWords; word++) {
      if (this.#words[slot * words + word] !== this.#probe[word]) return false
    }
    return true
  }

  /** Gives the key in `#probe` a slot: a new one, or that of the oldest. */
  #takeSlot(): number {
    const slot = this.#next
    this.#next = (slot + 1) % this.#capacity
    if (this.#size === this.#capacity) this.#drop(slot)
    else this.#size += 1
    this.#words.set(this.#probe, slot * words)
    let at = this.#home(this.#probe[0] ?? 0)
    while (this.#index[at] !== 0) at = (at + 1) & this.#mask
    this.#index[at] = slot + 1
    return slot
  }

  /** Takes a slot out of the index, and moves up what stood further from home because of it (Knuth, 6.4, algorithm R). */
  #drop(slot: number): void {
    let hole = this.#home(this.#words[slot * words] ?? 0)
    while (this.#index[hole] !== slot + 1) hole = (hole + 1) & this.#mask
    for (let at = (hole + 1) & this.#mask; ; at = (at + 1) & this.#mask) {
      const entry = this.#index[at] ?? 0
      if (entry === 0) break
      const home = this.#home(this.#words[(entry - 1) * words] ?? 0)
      if (((at - home) & this.#mask) < ((at - hole) & this.#mask)) continue
      this.#index[hole] = entry
      hole = at
    }
    this.#index[hole] = 0
  }

  #home(word: number): number {
    return word & this.#mask
  }

  #fingerprintAt(slot: number): string {
    let text = ''
    for (let word = 0; word < keyWords; word++) {
      text += (this.#words[slot * words + keyWords + word] ?? 0).toString(16).padStart(8, '0')
    }
    return text
  }

  #placeAt(slot: number): Place {
    return {
      topic: this.#topics[this.#words[slot * words + topicWord] ?? 0] ?? '',
      partition: this.#words[slot * words + partitionWord] ?? 0,
      schemaId: this.#words[slot * words + schemaWord] ?? 0,
      offset: this.#numbers[slot * numbers] ?? 0,
      timestampMs: this.#numbers[slot * numbers + 1] ?? 0,
    }
  }

  #topicNumber(topic: string): number {
    const known = this.#topicNumbers.get(topic)
    if (known !== undefined) return known
    this.#topics.push(topic)
    this.#topicNumbers.set(topic, this.#topics.length - 1)
    return this.#topics.length - 1
  }
}

function wordOf(key: string, at: number): number {
  return (
    ((key.charCodeAt(at) << 24) |
      (key.charCodeAt(at + 1) << 16) |
      (key.charCodeAt(at + 2) << 8) |
      key.charCodeAt(at + 3)) >>>
    0
  )
}
