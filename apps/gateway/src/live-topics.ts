/**
 * Live streams: one tail per topic and instance, however many subscribers. A subscriber that reads too slowly has a bounded buffer;
 * what does not fit is counted, and it is told so in a gap frame, before the next event at the latest.
 */
import type { KafkaConnection } from '@millrace/kafka/connection'
import type { StoredRecord } from '@millrace/kafka/reader'
import { openTail, type Tail } from '@millrace/kafka/tail'
import type { Logger } from '@millrace/service/logger'
import { cursorOf, itemOf } from './event-item.ts'
import type { GatewayMetrics } from './metrics.ts'

/** The part of a WebSocket that a live stream writes to. */
export type Socket = {
  readonly bufferedAmount: number
  send(frame: string): void
  /** Holds frames back until `uncork`, so that they leave together: a system call for each is what they cost most. */
  cork(): void
  uncork(): void
  close(code: number, reason: string): void
}

export type LiveTopics = {
  /** Begins to follow a topic, before its first subscriber is attached; rejects as the tail does. */
  readonly follow: (topic: string) => Promise<void>
  /** Attaches a subscriber to a topic that is followed; returns what detaches it. */
  readonly subscribe: (topic: string, socket: Socket) => () => void
  readonly close: () => Promise<void>
}

type Subscriber = { readonly socket: Socket; missed: number; missedFrom: string | undefined }
type Live = {
  readonly tail: Tail
  readonly subscribers: Set<Subscriber>
  /** Tells what they missed to those who have room again, for the next event may be long in coming. */
  readonly tellGaps: () => void
  idleSince: number
}

const goingAway = 1001
/** A topic without subscribers is followed a little longer: most come back. */
const idleMs = 10_000
const sweepMs = 1_000
/** Few enough that what is held back for a moment never looks like a slow reader. */
const corkedFrames = 64

export function createLiveTopics(
  connection: KafkaConnection,
  bufferBytesMax: number,
  metrics: GatewayMetrics,
  logger: Logger,
): LiveTopics {
  const topics = new Map<string, Promise<Live>>()
  const open = new Map<string, Live>()

  async function start(topic: string): Promise<Live> {
    const live = await openLive(connection, topic, bufferBytesMax, metrics, logger)
    open.set(topic, live)
    return live
  }

  const sweep = setInterval(() => {
    for (const [topic, live] of open) {
      live.tellGaps()
      if (live.subscribers.size > 0 || performance.now() - live.idleSince < idleMs) continue
      open.delete(topic)
      topics.delete(topic)
      live.tail.close().catch((error: unknown) => logger.warn({ err: error, topic }, 'a tail did not close'))
    }
  }, sweepMs)

  return {
    async follow(topic) {
      const started = topics.get(topic) ?? start(topic)
      topics.set(topic, started)
      try {
        const live = await started
        live.idleSince = performance.now()
      } catch (error) {
        topics.delete(topic)
        throw error
      }
    },
    subscribe(topic, socket) {
      const live = open.get(topic)
      if (!live) {
        socket.close(goingAway, 'subscribe again')
        return () => undefined
      }
      const subscriber: Subscriber = { socket, missed: 0, missedFrom: undefined }
      live.subscribers.add(subscriber)
      metrics.subscribers.inc()
      return () => {
        if (!live.subscribers.delete(subscriber)) return
        metrics.subscribers.dec()
        live.idleSince = performance.now()
      }
    },
    async close() {
      clearInterval(sweep)
      for (const live of open.values()) {
        for (const { socket } of live.subscribers) socket.close(goingAway, 'the server stops: subscribe again')
      }
      await Promise.all([...open.values()].map((live) => live.tail.close()))
    },
  }
}

async function openLive(
  connection: KafkaConnection,
  topic: string,
  bufferBytesMax: number,
  metrics: GatewayMetrics,
  logger: Logger,
): Promise<Live> {
  const subscribers = new Set<Subscriber>()
  const next = new Map<number, bigint>()
  const tail = await openTail(connection, topic, 'latest', {
    onRecords: (records) => {
      for (let start = 0; start < records.length; start += corkedFrames) {
        deliverAll(records.slice(start, start + corkedFrames))
      }
    },
    onTrouble: (error) => logger.warn({ err: error, topic }, 'a live stream cannot be read at the moment'),
  })
  for (const [partition, offset] of tail.positions()) if (!next.has(partition)) next.set(partition, offset)
  return { tail, subscribers, tellGaps, idleSince: performance.now() }

  function deliverAll(records: readonly StoredRecord[]): void {
    for (const { socket } of subscribers) socket.cork()
    try {
      let before = subscribers.size > 0 ? cursorOf(topic, next) : ''
      for (const record of records) {
        next.set(record.partition, record.offset + 1n)
        if (subscribers.size === 0) continue
        const after = cursorOf(topic, next)
        deliver(record, { before, after })
        before = after
      }
    } finally {
      for (const { socket } of subscribers) socket.uncork()
    }
  }

  function deliver(record: StoredRecord, cursor: { readonly before: string; readonly after: string }): void {
    const frame = JSON.stringify({ ...itemOf(record), cursor: cursor.after })
    for (const subscriber of subscribers) {
      if (isFull(subscriber)) {
        subscriber.missedFrom ??= cursor.before
        subscriber.missed += 1
        metrics.gapEvents.inc()
        continue
      }
      if (subscriber.missed > 0) tellGap(subscriber, cursor.before)
      subscriber.socket.send(frame)
    }
  }

  function tellGaps(): void {
    for (const subscriber of subscribers) {
      if (subscriber.missed > 0 && !isFull(subscriber)) tellGap(subscriber, cursorOf(topic, next))
    }
  }

  function isFull({ socket }: Subscriber): boolean {
    return socket.bufferedAmount > bufferBytesMax
  }
}

function tellGap(subscriber: Subscriber, to: string): void {
  const { missed: count, missedFrom: from } = subscriber
  subscriber.socket.send(JSON.stringify({ gap: { count, from, to } }))
  subscriber.missed = 0
  subscriber.missedFrom = undefined
}
