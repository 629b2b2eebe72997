import { ProblemError } from '../src/problem.ts'

/** The status that a refusal is answered with; `undefined` when nothing is refused. */
export function statusOf(refuse: () => unknown): number | undefined {
  try {
    refuse()
    return undefined
  } catch (error) {
    if (error instanceof ProblemError) return error.problem.status
    throw error
  }
}
