/** So many looks. */
const looksMax = 5

/**
 * What stays of a difference between two things that are read one after the other: an account that is under way looks like a missing one for
 * a moment. Of the last looks, the one that differs least is told, and none where they differ in both directions.
 */
export class Settled {
  readonly #looks: number[] = []

  /** @param found null where it cannot be known at the moment: then what was known is told */
  look(found: number | null): number | null {
    if (found !== null) this.#looks.push(found)
    if (this.#looks.length > looksMax) this.#looks.shift()
    if (this.#looks.length === 0) return null
    const [least, most] = [Math.min(...this.#looks), Math.max(...this.#looks)]
    return least > 0 ? least : most < 0 ? most : 0
  }
}
