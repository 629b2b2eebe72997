import { randomInt } from 'node:crypto'

/** Nobody outside knows which names meet in the table. */
const seed = randomInt(2 ** 31)

/** Where the hash of a name begins. */
export const emptyName = seed

/** The hash of a name with one character more. */
export function longerName(hash: number, code: number): number {
  const mixed = Math.imul(hash ^ code, 0x5bd1e995)
  return mixed ^ (mixed >>> 15)
}

/** What is kept of each name: its hash, the object that it is in, where it starts and where it ends. */
const slotLength = 4

/** The names of all objects of a text, to find those that are given twice: places in the text, so that none is copied. */
export class NameTable {
  readonly #slots: Int32Array
  readonly #mask: number

  constructor(text: string) {
    // A colon stands behind each name, and in some strings.
    let namesMax = 0
    for (let at = text.indexOf(':'); at >= 0; at = text.indexOf(':', at + 1)) namesMax++
    const size = 2 ** Math.ceil(Math.log2(2 + 1.5 * namesMax))
    this.#slots = new Int32Array(size * slotLength)
    this.#mask = size - 1
  }

  /**
   * Adds a name of an object, which is told from others by a number from 1.
   * @param isSame whether the name that stands at another place is this one
   * @returns whether it was there
   */
  add(
    hash: number,
    object: number,
    start: number,
    end: number,
    isSame: (start: number, end: number) => boolean,
  ): boolean {
    const slots = this.#slots
    // The same names in other objects go elsewhere.
    const first = longerName(hash, object)
    for (let index = first & this.#mask; ; index = (index + 1) & this.#mask) {
      const slot = index * slotLength
      if (slots[slot + 1] === 0) {
        slots[slot] = first
        slots[slot + 1] = object
        slots[slot + 2] = start
        slots[slot + 3] = end
        return false
      }
      const isCandidate = slots[slot] === first && slots[slot + 1] === object
      if (isCandidate && isSame(slots[slot + 2] ?? 0, slots[slot + 3] ?? 0)) return true
    }
  }
}
