/** So many looks. */
const looksMax = 5

/**
 * What stays of a difference between two things that are read one after the other: an account that is under way looks like a missing one for
 * a moment. Of the last looks, the one that differs least is told, and none where they differ in both directions.
 */
export class Settled {
  /** Until there were as many, there was no difference. */
  readonly #looks: (number | null)[] = Array.from({ length: looksMax - 1 }, () => 0)
  #isKnown = false

  /** @param found null where it cannot be known at the moment: then the other looks are what tells, as long as there are some */
  look(found: number | null): number | null {
    this.#isKnown ||= found !== null
    this.#looks.push(found)
    if (this.#looks.length > looksMax) this.#looks.shift()
    const known = this.#looks.filter((look) => look !== null)
    if (!this.#isKnown || known.length === 0) return null
    const [least, most] = [Math.min(...known), Math.max(...known)]
    return least > 0 ? least : most < 0 ? most : 0
  }
}
