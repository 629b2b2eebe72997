import { setImmediate as turn } from 'node:timers/promises'
import { isJsonObject } from '@millrace/core/json'
import { partitionForKey } from '@millrace/core/partitioner'
import type { EventResult, PostEvents, PostOutcome } from '@millrace/ledger/event-post'
import type { Flight } from '../src/flight.ts'

export type SentEvent = { readonly id: string; readonly origin: string; readonly atMs: number }

/** A request as the gateway sees it, numbered from 0 over all lanes. */
export type Request = { readonly number: number; readonly lane: number; readonly events: readonly SentEvent[] }

/**
 * What goes wrong with a request. `lost`: nothing is stored. `unanswered`: all is stored, and nobody is told. `partly`: of
 * three events the second is not stored, and the third is stored without being confirmed. Else an outcome of its own.
 */
export type Fault = 'lost' | 'unanswered' | 'partly' | PostOutcome

export type FakeGateway = {
  readonly post: PostEvents
  /** By partition, what is stored, in order. */
  readonly stored: readonly SentEvent[][]
  readonly requests: readonly Request[]
  /** The most requests that a partition had in flight at a time. */
  readonly inFlightMax: () => number
}

/** The gateway's contract without servers: places by Kafka's partitioner, ids stored once, answers in no order between lanes. */
export function fakeGateway(
  partitions: number,
  faultOf: (request: Request) => Fault | undefined = () => undefined,
): FakeGateway {
  const stored: SentEvent[][] = Array.from({ length: partitions }, () => [])
  const places = new Map<string, number>()
  const inFlight = new Array<number>(partitions).fill(0)
  const requests: Request[] = []
  let inFlightMax = 0
  const store = (lane: number, event: SentEvent): EventResult => {
    const known = places.get(event.id)
    if (known !== undefined) return { status: 'duplicate', partition: lane, offset: known }
    const log = stored[lane] ?? []
    const offset = log.push(event) - 1
    places.set(event.id, offset)
    return { status: 'accepted', partition: lane, offset }
  }
  const answer = ({ lane, events }: Request, fault: Fault | undefined): PostOutcome => {
    if (typeof fault === 'object') return fault
    if (fault === 'lost') return unconfirmed
    const results = events.map((event, index): EventResult => {
      if (fault === 'partly' && index % 3 === 1) return { status: 'unconfirmed', detail: 'not stored' }
      const result = store(lane, event)
      return fault === 'partly' && index % 3 === 2 ? { status: 'unconfirmed', detail: 'not confirmed' } : result
    })
    return fault === 'unanswered' ? unconfirmed : { kind: 'answered', results }
  }
  return {
    stored,
    requests,
    inFlightMax: () => inFlightMax,
    post: async (body, count) => {
      const events = eventsOf(body)
      const [lane, ...others] = new Set(events.map(({ origin }) => partitionForKey(Buffer.from(origin), partitions)))
      if (lane === undefined || others.length > 0 || events.length !== count)
        throw new RangeError('not a batch of a lane')
      const request = { number: requests.length, lane, events }
      requests.push(request)
      inFlight[lane] = (inFlight[lane] ?? 0) + 1
      inFlightMax = Math.max(inFlightMax, inFlight[lane])
      for (let turns = (request.number * 7) % 4; turns > 0; turns--) await turn()
      const outcome = answer(request, faultOf(request))
      inFlight[lane]--
      return outcome
    },
  }
}

export const unconfirmed: PostOutcome = { kind: 'unconfirmed', detail: '503 try again', retryAfterMs: undefined }

function eventsOf(body: string): SentEvent[] {
  const batch: unknown = JSON.parse(body)
  if (!Array.isArray(batch)) throw new TypeError('not a batch')
  return batch.map((event: unknown) => {
    const data = isJsonObject(event) ? event['data'] : undefined
    if (!isJsonObject(event) || !isJsonObject(data)) throw new TypeError('not an event')
    const { id } = event
    const { origin, date } = data
    if (typeof id !== 'string' || typeof origin !== 'string' || typeof date !== 'string')
      throw new TypeError('no flight')
    return { id, origin, atMs: Date.parse(date) }
  })
}

/** A flight that is reported when it departs, unless it is said otherwise. */
export function flight(row: number, changed: Partial<Flight> = {}): Flight {
  const departedMs = changed.departedMs ?? Date.UTC(2001, 0, 1) + row * 60_000
  const reportedMs = changed.reportedMs ?? departedMs
  return { row, origin: 'SFO', destination: 'LAX', distance: 337, delay: 0, ...changed, departedMs, reportedMs }
}
