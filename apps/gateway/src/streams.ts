/** All live streams of an instance, from their beginning until the subscriber goes, its token ends, or the instance stops. */
import type { Offsets } from '@millrace/kafka/admin'
import type { Logger } from '@millrace/service/logger'
import { catchUp, type CatchUp } from './catch-up.ts'
import type { Filter } from './filter.ts'
import type { LiveTopic } from './live-topics.ts'
import type { GatewayMetrics } from './metrics.ts'
import { closeCodes, type Outlet } from './outlet.ts'
import { ProblemError } from './problem.ts'
import { StreamRoom } from './stream-room.ts'
import { Subscription } from './subscription.ts'

export type StreamRequest = {
  readonly live: LiveTopic
  /** Where it begins; without it, with what comes now. */
  readonly from: Offsets | undefined
  readonly filter: Filter | undefined
  readonly expiresAtMs: number
}

export type Streams = {
  readonly isFull: () => boolean
  /** @param gone aborted when the subscriber has left */
  readonly start: (request: StreamRequest, outlet: Outlet, gone: AbortSignal) => void
  /** Closes all streams, and tells them to come again. */
  readonly stop: () => void
}

export type StreamOptions = {
  readonly streamsMax: number
  readonly bufferBytesMax: number
  readonly buffersBytesMax: number
}

type Stream = { readonly subscription: Subscription; readonly outlet: Outlet }

/** The longest time that a timer can wait. */
const timerMsMax = 2 ** 31 - 1
const sweepMs = 1_000
/** How often it is looked at what waits for all streams. */
const sampleMs = 200
/** How long a page of what a stream missed may wait for room: longer than it takes to find out who does not read. */
const roomWaitMsMax = 45_000
/** A subscriber that gives no sign of life between two heartbeats is gone. */
const heartbeatMs = 15_000

export function createStreams(
  options: StreamOptions,
  reading: Omit<CatchUp, 'room'>,
  metrics: GatewayMetrics,
  logger: Logger,
): Streams {
  const open = new Set<Stream>()
  const room = new StreamRoom({ ...options, waitMsMax: roomWaitMsMax })
  let isStopping = false

  const sample = setInterval(() => {
    metrics.streamBuffers.set(room.sample(Array.from(open, ({ outlet }) => outlet.bufferedBytes())))
  }, sampleMs)
  const sweep = setInterval(() => {
    for (const { subscription } of open) subscription.tellMissed()
  }, sweepMs)
  const heartbeat = setInterval(() => {
    for (const stream of open) beat(stream)
  }, heartbeatMs)

  async function run(request: StreamRequest, subscription: Subscription, gone: AbortSignal): Promise<void> {
    const { live, from } = request
    try {
      if (from) await catchUp({ ...reading, room }, live, subscription, from, gone)
    } catch (error) {
      if (gone.aborted) return
      if (error instanceof ProblemError) {
        subscription.outlet.end(closeCodes.tryAgainLater, error.problem.detail)
        return
      }
      logger.warn({ err: error, topic: live.topic }, 'a live stream could not read what it missed')
      subscription.outlet.end(closeCodes.failed, 'the topic cannot be read at the moment: go on from the last cursor')
    }
  }

  return {
    isFull: () => open.size >= options.streamsMax,
    start: (request, uncounted, gone) => {
      const outlet = room.counting(uncounted)
      if (isStopping) {
        outlet.end(closeCodes.goingAway, stopping)
        return
      }
      const { live, from, filter, expiresAtMs } = request
      const onMissed = (count: number) => metrics.gapEvents.inc(count)
      const now = live.next()
      const subscription = new Subscription(
        { topic: live.topic, filter, outlet, bufferBytesMax: () => room.bufferBytesMax(), onMissed },
        from ?? now,
      )
      if (!from) {
        subscription.hold()
        subscription.release(now)
      }
      const stream = { subscription, outlet }
      const leave = live.join(subscription)
      open.add(stream)
      metrics.subscribers.inc()
      const expire = () => outlet.end(closeCodes.tokenExpired, 'the token has expired')
      const expiry = setTimeout(expire, Math.min(expiresAtMs - Date.now(), timerMsMax))
      const end = () => {
        clearTimeout(expiry)
        leave()
        if (open.delete(stream)) metrics.subscribers.dec()
      }
      if (gone.aborted) end()
      else gone.addEventListener('abort', end, { once: true })
      void run(request, subscription, gone)
    },
    stop: () => {
      isStopping = true
      clearInterval(sample)
      clearInterval(sweep)
      clearInterval(heartbeat)
      for (const { outlet } of open) outlet.end(closeCodes.goingAway, stopping)
    },
  }
}

const stopping = 'this instance stops: come again with the last cursor'

function beat({ subscription, outlet }: Stream): void {
  if (!outlet.isAlive()) {
    outlet.destroy()
    return
  }
  subscription.tellCursor()
  outlet.probe()
}
