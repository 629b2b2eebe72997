import { availableParallelism } from 'node:os'

import type { Dataset } from './dataset.ts'
import type { PostEvents } from '@millrace/ledger/event-post'
import type { Flight, ReportPosition } from './flight.ts'
import { type LaneOptions, sendBatch } from './lane.ts'
import type { Ledger } from '@millrace/ledger/ledger'
import { pacer } from '@millrace/ledger/pacer'
import type { Positions } from './positions.ts'
import type { ReplayStatistics } from './statistics.ts'
import { resumePosition, type Tick, ticksOf } from './ticks.ts'

export type ReplaySettings = {
  /** Events per second; absent: as fast as it goes. */
  readonly eventsPerSecond: number | undefined
  /** Most events of one request. A request never spans two ticks, so most are smaller. */
  readonly batchEventsMax: number
  /** Report time that lanes go through together: no lane is more than one tick ahead of another. */
  readonly tickMs: number
  /** How long an event may stay unconfirmed, sent again and again, before the replay fails. */
  readonly confirmDeadlineMs: number
}

const eventsPerSecondMax = 10_000
/** What a core sustains with the whole platform on the same machine, so that latencies are the platform's and not those of a queue. */
const eventsPerSecondPerCore = 500

export const replayDefaults = {
  eventsPerSecond: Math.min(eventsPerSecondMax, eventsPerSecondPerCore * availableParallelism()),
  batchEventsMax: 500,
  tickMs: 60 * 60_000,
  confirmDeadlineMs: 120_000,
} as const satisfies ReplaySettings

export type ReplayParts = {
  readonly dataset: Dataset
  readonly eventType: string
  readonly post: PostEvents
  readonly ledger: Ledger
  readonly positions: Positions
  readonly statistics: ReplayStatistics
  readonly onFirstPost?: (lane: number, flights: readonly Flight[], atMs: number) => void
}

/** `stopped`: the signal was aborted. `exhausted`: every flight of the dataset is acknowledged. */
export type ReplayEnd = 'stopped' | 'exhausted'

/**
 * Replays flights in report order over HTTP, one lane a partition, from where the last run stopped.
 * Once `signal` is aborted, or a lane failed, it waits for the requests in flight and ends.
 * @throws MillraceError 'replay.failed' when an event is refused or not confirmed within the deadline.
 */
export async function replay(parts: ReplayParts, settings: ReplaySettings, signal: AbortSignal): Promise<ReplayEnd> {
  const { positions, dataset } = parts
  const failure = new AbortController()
  const end = AbortSignal.any([signal, failure.signal])
  const lanes = positions.current.map((_, lane) => openLane(parts, settings, lane, end))
  const turn = pacer(settings.eventsPerSecond)
  const from = resumePosition(positions.current)
  let before = Promise.resolve()
  let current = Promise.resolve()
  try {
    for await (const tick of ticksOf(dataset.flights(from), {
      tickMs: settings.tickMs,
      positions: [...positions.current],
    })) {
      await turn(tick.flights, signal)
      // The lanes' backpressure: a tick starts when every lane has ended the one before the last.
      await before
      if (signal.aborted) break
      before = current
      current = settled(lanes, tick, failure)
    }
    await Promise.all([before, current])
  } finally {
    await Promise.allSettled([before, current])
  }
  return signal.aborted ? 'stopped' : 'exhausted'
}

type Lane = (flights: readonly Flight[]) => Promise<void>

/** Resolves or rejects once no lane is sending any more: what is in flight still reaches the ledger, whoever failed. */
function settled(lanes: readonly Lane[], tick: Tick, failure: AbortController): Promise<void> {
  const sent = lanes.map(async (send, lane) => {
    try {
      await send(tick.lanes[lane] ?? [])
    } catch (error) {
      failure.abort()
      throw error
    }
  })
  const all = Promise.allSettled(sent)
    .then(() => Promise.all(sent))
    .then(() => undefined)
  // A failure is seen when the loop comes to wait for it; until then it must not count as unhandled.
  all.catch(() => undefined)
  return all
}

/** A lane sends what it is given in order; after a failure, or a batch left to the next run, it sends nothing more. */
function openLane(parts: ReplayParts, settings: ReplaySettings, lane: number, signal: AbortSignal): Lane {
  const options = laneOptions(parts, settings, lane, signal)
  let tail = Promise.resolve(true)
  const sendAll = async (goOn: boolean, flights: readonly Flight[]): Promise<boolean> => {
    if (!goOn) return false
    for (let start = 0; start < flights.length; start += settings.batchEventsMax) {
      const batch = flights.slice(start, start + settings.batchEventsMax)
      const outcome = signal.aborted ? 'left-to-next-run' : await sendBatch(options, batch)
      if (outcome === 'left-to-next-run') return false
      parts.positions.advance(lane, lastOf(batch))
    }
    return true
  }
  return async (flights) => {
    tail = tail.then((goOn) => sendAll(goOn, flights))
    await tail
  }
}

const runStartMs = Date.now()
let requests = 0

function laneOptions(parts: ReplayParts, settings: ReplaySettings, lane: number, signal: AbortSignal): LaneOptions {
  const { eventType, post, ledger, statistics, onFirstPost = () => undefined } = parts
  return {
    lane,
    eventType,
    post,
    ledger,
    statistics,
    nextRequest: () => `${runStartMs}-${requests++}`,
    onFirstPost,
    confirmDeadlineMs: settings.confirmDeadlineMs,
    signal,
  }
}

function lastOf(batch: readonly Flight[]): ReportPosition {
  const last = batch.at(-1)
  if (!last) throw new RangeError('a batch has at least one flight')
  return last
}
