/** Thrown where checking a payload would take more work than anything may. */
export class TooMuchWork extends Error {
  constructor() {
    super('takes too much work to be checked against the schema: send less at once')
  }
}

/** Of objects with more members than this each member is looked for in a table. */
const smallMembersMax = 1_000
const unitsPerSmallMember = 4
const unitsPerLargeMember = 100

/** Bounds what one check of one payload may do, so that neither a schema nor data, nor both together, hold up everybody else. */
export class WorkBudget {
  readonly #max: number
  #left = 0

  /** A unit is about what one character costs a regular expression: some 10 ns. */
  constructor(max: number) {
    this.#max = max
  }

  renew(): void {
    this.#left = this.#max
  }

  /** @throws TooMuchWork */
  spend(units: number): void {
    this.#left -= units
    if (this.#left < 0) throw new TooMuchWork()
  }

  /**
   * Spends for each member of an object. Those of a large one are in a hash table, where each costs some hundred times as much.
   * @throws TooMuchWork
   */
  spendMembers(object: object, units: number): void {
    const count = Object.keys(object).length
    this.spend(units * count * (count > smallMembersMax ? unitsPerLargeMember : unitsPerSmallMember))
  }
}
