import type { Work } from './platform.ts'

/** One of the sides: a process that computes the windows of all flights when it is told to. */
export type Engine = {
  readonly pid: () => number
  /** Where it writes the results of a work. */
  readonly topicOf: (work: Work) => string
  /** Begins with the first flight; resolves when the engine says that it runs. */
  readonly start: (works: readonly Work[]) => Promise<void>
  /** Ends what was started. */
  readonly stop: () => Promise<void>
}
