import { problem, ProblemError } from './problem.ts'

/** Work that takes turns: so much at once, so much waiting, and nothing waits for ever. */
export type Turns = {
  /** Does the work when its turn has come. @throws ProblemError 503 when too much waits or the turn did not come in time */
  readonly take: <T>(work: () => Promise<T>) => Promise<T>
}

export type TurnsOptions = {
  readonly atOnceMax: number
  readonly waitingMax: number
  readonly waitMsMax: number
}

export function createTurns({ atOnceMax, waitingMax, waitMsMax }: TurnsOptions): Turns {
  let working = 0
  const waiting = new Set<() => void>()

  function turn(): Promise<void> {
    if (working < atOnceMax) {
      working += 1
      return Promise.resolve()
    }
    if (waiting.size >= waitingMax) throw busy()
    return new Promise((resolve, reject) => {
      const given = () => {
        clearTimeout(timer)
        resolve()
      }
      const timer = setTimeout(() => {
        waiting.delete(given)
        reject(busy())
      }, waitMsMax)
      waiting.add(given)
    })
  }

  /** Who waits longest is next, and takes the place over. */
  function leave(): void {
    const [next] = waiting
    if (!next) {
      working -= 1
      return
    }
    waiting.delete(next)
    next()
  }

  return {
    take: async (work) => {
      await turn()
      try {
        return await work()
      } finally {
        leave()
      }
    },
  }
}

function busy(): ProblemError {
  return new ProblemError(problem(503, 'too much waits here already: try again in a moment'))
}
