import { hash } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'

import { MillraceError } from '@millrace/core/errors'

import type { PostEvents, PostOutcome } from '@millrace/ledger/event-post'
import { isAborted } from '@millrace/ledger/pacer'
import { type Flight, flightData, flightSource, rfc3339 } from './flight.ts'
import type { Ledger, LedgerOutcome } from '@millrace/ledger/ledger'
import { backoffMs, leftOf, outcomesOf } from '@millrace/ledger/outcome'
import type { ReplayStatistics } from './statistics.ts'

/**
 * A lane is a partition of the topic. It has one request in flight, so its order in the topic is the order in which it
 * was sent: lateness is the data's and not an artefact of concurrency. An event that was not confirmed is sent again
 * with its id until it is; nothing is skipped.
 */
export type LaneOptions = {
  readonly lane: number
  readonly eventType: string
  readonly post: PostEvents
  readonly ledger: Ledger
  readonly statistics: ReplayStatistics
  /** Names each request, uniquely over all runs. */
  readonly nextRequest: () => string
  /** Told of each flight's first POST, at `performance.now()`. */
  readonly onFirstPost: (lane: number, flights: readonly Flight[], atMs: number) => void
  readonly confirmDeadlineMs: number
  /** Once aborted, what is not confirmed is left to the next run instead of being sent again. */
  readonly signal: AbortSignal
}

export type BatchOutcome = 'confirmed' | 'left-to-next-run'

type Pending = { readonly flight: Flight; readonly id: string; readonly sha256: string; readonly event: string }

/**
 * Sends one batch of a lane until every event of it is acknowledged.
 * @throws MillraceError 'replay.failed' when an event is refused, was stored in another partition than its lane's, or is
 * not confirmed within the deadline.
 */
export async function sendBatch(options: LaneOptions, flights: readonly Flight[]): Promise<BatchOutcome> {
  const deadlineMs = performance.now() + options.confirmDeadlineMs
  let pending = flights.map((flight) => pendingOf(options.eventType, flight))
  for (let attempt = 0; ; attempt++) {
    const request = options.nextRequest()
    options.ledger.sending(
      request,
      options.lane,
      pending.map(({ id }) => id),
    )
    const sentMs = performance.now()
    if (attempt === 0) options.onFirstPost(options.lane, flights, sentMs)
    const outcome = await options.post(`[${pending.map(({ event }) => event).join(',')}]`, pending.length)
    const left = settle(options, request, pending, outcome, performance.now() - sentMs)
    if (left.length === 0) return 'confirmed'
    if (options.signal.aborted) return 'left-to-next-run'
    const waitMs = backoffMs(attempt, outcome.kind === 'unconfirmed' ? outcome.retryAfterMs : 0)
    if (performance.now() + waitMs > deadlineMs) throw notConfirmed(options, left, outcome)
    await delay(waitMs, undefined, { signal: options.signal }).catch(() => undefined)
    if (isAborted(options.signal)) return 'left-to-next-run'
    options.statistics.retried(left.length)
    pending = left
  }
}

function pendingOf(type: string, flight: Flight): Pending {
  const id = String(flight.row)
  const data = JSON.stringify(flightData(flight))
  const attributes = JSON.stringify({
    specversion: '1.0',
    id,
    source: flightSource,
    type,
    time: rfc3339(flight.departedMs),
  })
  return { flight, id, sha256: hash('sha256', data), event: `${attributes.slice(0, -1)},"data":${data}}` }
}

/** Writes what became of a request to the ledger and returns what has to be sent again. */
function settle(
  options: LaneOptions,
  request: string,
  pending: readonly Pending[],
  outcome: PostOutcome,
  tookMs: number,
): Pending[] {
  const settled = outcomesOf(pending, outcome)
  options.ledger.settled(request, settled)
  const refused = settled.find(({ status }) => status === 'rejected')
  if (refused) throw refusal(refused)
  const misrouted = settled.find((result) => 'partition' in result && result.partition !== options.lane)
  if (misrouted) throw misrouting(options.lane, misrouted)
  const left = leftOf(pending, settled)
  const confirmed = pending.length - left.length
  const duplicates = settled.filter(({ status }) => status === 'duplicate').length
  if (confirmed > 0) options.statistics.confirmed({ events: confirmed, duplicates, tookMs })
  return left
}

function refusal(outcome: LedgerOutcome): MillraceError {
  const detail = 'detail' in outcome ? outcome.detail : ''
  return new MillraceError('replay.failed', `the gateway refuses flight ${outcome.id}, which is valid: ${detail}`)
}

function misrouting(lane: number, outcome: LedgerOutcome): MillraceError {
  const partition = 'partition' in outcome ? outcome.partition : '?'
  return new MillraceError(
    'replay.failed',
    `flight ${outcome.id} was stored in partition ${partition}; Kafka’s partitioner gives its key partition ${lane}`,
  )
}

function notConfirmed(options: LaneOptions, left: readonly Pending[], outcome: PostOutcome): MillraceError {
  const why = 'detail' in outcome ? outcome.detail : 'the gateway could not confirm them'
  return new MillraceError(
    'replay.failed',
    `${left.length} events of lane ${options.lane} were not confirmed within ${options.confirmDeadlineMs / 1_000} s: ${why}`,
  )
}
