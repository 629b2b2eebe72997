import { setImmediate } from 'node:timers/promises'

/** How long a request of many events may keep everybody else waiting at a time. */
const turnMsMax = 10

/** Lets others have their turn between the events of a request: each may take its time. */
export type Pace = {
  /** Whether it is the others' turn. Asking is cheap: most events take none. */
  readonly isOver: () => boolean
  readonly rest: () => Promise<void>
}

export function createPace(): Pace {
  let since = performance.now()
  return {
    isOver: () => performance.now() - since >= turnMsMax,
    rest: async () => {
      await setImmediate()
      since = performance.now()
    },
  }
}
