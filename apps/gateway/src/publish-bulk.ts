/** Many events in one request, as newline-delimited JSON that is taken in while it arrives. */
import { parseExactJson, type ParsedJson } from '@millrace/schemas/exact-json'
import type { Identity } from './authentication.ts'
import type { BodyShare } from './body-room.ts'
import { answeredTimesMax, type BatchAnswer, createBatchAnswer } from './batch-answer.ts'
import type { Ingest, Outcome } from './ingest.ts'
import { parseInTurns } from './json-body.ts'
import { type Line, linesOf } from './ndjson.ts'
import { createPace } from './pace.ts'
import { noRoom, type Problem, problem, ProblemError } from './problem.ts'
import type { Submitted } from './submission.ts'
import type { Trace } from './trace-context.ts'

export type BulkBounds = {
  readonly eventBytesMax: number
  readonly bulkEventsMax: number
}

export type BulkRequest = {
  readonly lines: AsyncIterable<Buffer>
  /** Nothing is taken any more: lines that come still are given up. */
  readonly isOver: () => boolean
  /** Where what is under way is counted. */
  readonly share: Pick<BodyShare, 'take' | 'give'>
  readonly identity: Identity
  readonly trace: Trace | undefined
}

/** How many events of a request may be on their way to Kafka: while there are more, nothing is read of it. */
const inFlightMax = 1_000
const inFlightBytesMax = 8 * 1_048_576

/**
 * Takes in a body line by line. What was taken when a body breaks off is stored; the answer says how far it went.
 * @throws ProblemError 400 for a body without an event; what the body failed with, where nothing was taken before
 */
export async function publishLines(request: BulkRequest, ingest: Ingest, bounds: BulkBounds): Promise<BatchAnswer> {
  const answer = createBatchAnswer()
  const { share } = request
  const window = createWindow(share)
  let unfinished = 0
  const hold = (bytes: number) => {
    if (bytes <= unfinished) share.give(unfinished - bytes)
    else if (!share.take(bytes - unfinished)) throw noRoom()
    unfinished = bytes
  }
  let index = 0
  const pace = createPace()
  try {
    for await (const lines of linesOf(request.lines, bounds.eventBytesMax, hold)) {
      for (const line of lines) {
        // What is refused waits for nothing, so that a portion of it would be one turn.
        if (pace.isOver()) await pace.rest()
        const at = index++
        if (at === bounds.bulkEventsMax * answeredTimesMax) throw new ProblemError(beyondAll(bounds))
        if ('tooLong' in line || at >= bounds.bulkEventsMax) {
          answer.put(at, refusalOf(line, bounds, ingest))
          continue
        }
        const { bytes } = line
        const hasRoom = !request.isOver() && (await window.room(bytes.length))
        // Waiting for room took time too.
        if (hasRoom && !request.isOver()) {
          const parsing = parseInTurns(bytes)
          // One line after another, so that events keep their order.
          const parsed = parsing instanceof Promise ? await parsing : parsing
          window.run(bytes.length, publishLine(parsed, request, ingest), (outcome) => answer.put(at, outcome))
        } else {
          if (hasRoom) share.give(bytes.length)
          answer.put(at, ingest.giveUp(submittedOf(bytes)))
        }
      }
    }
  } catch (error) {
    if (!(error instanceof ProblemError) || index === 0) throw error
    // For all the lines from here on: they were not looked at.
    answer.put(Math.min(index, bounds.bulkEventsMax * answeredTimesMax), remainder(error.problem, ingest))
  } finally {
    await window.empty()
  }
  if (index === 0) throw new ProblemError(problem(400, 'a bulk load is at least one event, each on a line of its own'))
  return answer
}

function publishLine(parsed: ParsedJson, { identity, trace }: BulkRequest, ingest: Ingest): Promise<Outcome> {
  if (!parsed.ok) return Promise.resolve(ingest.refuse(undefined, problem(400, `the line ${parsed.detail}`)))
  return ingest.accept(parsed, identity, trace)
}

function refusalOf(line: Line, { eventBytesMax, bulkEventsMax }: BulkBounds, ingest: Ingest): Outcome {
  if ('tooLong' in line) return ingest.refuse(undefined, problem(413, `an event may have ${eventBytesMax} bytes`))
  return ingest.refuse(submittedOf(line.bytes), problem(413, `a bulk load may have ${bulkEventsMax} events`))
}

function submittedOf(bytes: Buffer): Submitted | undefined {
  const parsed = parseExactJson(bytes)
  return parsed.ok ? parsed : undefined
}

function remainder(told: Problem, ingest: Ingest): Outcome {
  return told.status === 503 ? { status: 'unconfirmed', id: null, problem: told } : ingest.refuse(undefined, told)
}

function beyondAll({ bulkEventsMax }: BulkBounds): Problem {
  return problem(413, `a bulk load may have ${bulkEventsMax} events: nothing from here on was looked at`)
}

/** Work under way, bounded in number and bytes. */
function createWindow(share: BulkRequest['share']) {
  const running = new Set<Promise<void>>()
  let bytes = 0
  return {
    /** Waits for room for so many bytes, and takes it; false where others have it all. */
    room: async (size: number): Promise<boolean> => {
      for (;;) {
        const isFull = running.size >= inFlightMax || bytes >= inFlightBytesMax
        if (!isFull && share.take(size)) return true
        if (running.size === 0) return false
        await Promise.race(running)
      }
    },
    run: (size: number, work: Promise<Outcome>, onEnd: (outcome: Outcome) => void) => {
      bytes += size
      const ended = work.then((outcome) => {
        bytes -= size
        share.give(size)
        running.delete(ended)
        onEnd(outcome)
      })
      running.add(ended)
    },
    empty: async () => {
      await Promise.all(running)
    },
  }
}
