/** A bulk load is as long as its client likes, so time ends it: that of one request, or that of an instance that is told to stop. */
import type { Readable } from 'node:stream'
import { problem, ProblemError } from './problem.ts'

export type BulkTime = {
  /** Nothing is taken any more. */
  readonly isOver: () => boolean
  readonly close: () => void
}

/** What has not arrived by then is not taken any more. With the time for the last event, an answer comes before a client gives up. */
const takeMsMax = 18_000
/** For so long what arrives afterwards is still read, so that each line has its result and the client sends to its end. */
const readOnMsMax = 2_000

/** Starts the time of a load; its body fails with a ProblemError 503 when nothing is read of it any more. */
export function openBulkTime(body: Pick<Readable, 'destroy'>, stopping: AbortSignal): BulkTime {
  let isOver = false
  const end = () => {
    isOver = true
    stopping.removeEventListener('abort', end)
    clearTimeout(timer)
    timer = setTimeout(() => body.destroy(new ProblemError(problem(503, unread))), readOnMsMax)
  }
  let timer = setTimeout(end, takeMsMax)
  if (stopping.aborted) end()
  else stopping.addEventListener('abort', end)
  return {
    isOver: () => isOver,
    close: () => {
      clearTimeout(timer)
      stopping.removeEventListener('abort', end)
    },
  }
}

const unread = 'there was no time for what comes from here on, and nothing of it was looked at: send it again'
