/** Thrown where checking a payload would take more work than anything may. */
export class TooMuchWork extends Error {
  constructor() {
    super('takes too much work to be checked against the schema: send less at once')
  }
}

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
}
