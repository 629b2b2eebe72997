import { setTimeout as sleep } from 'node:timers/promises'
import type { MillraceError } from '@millrace/core/errors'
import { Admin as Client } from '@platformatic/kafka'
import { type Offsets, openAdmin } from './admin.ts'
import { clientOptions, type KafkaConnection } from './connection.ts'
import { within } from './deadline.ts'
import { kafkaError } from './errors.ts'
import { type FetchedPartition, fetchFrom, type FetchLimits, leadersOf, type StoredRecord } from './fetch.ts'

export type TailStart = 'latest' | 'earliest' | Offsets

export type TailListener = {
  /** Records in the order of their partition. The tail reads on when the promise is fulfilled: that is its backpressure. */
  readonly onRecords: (records: readonly StoredRecord[]) => void | Promise<void>
  /** Records that are gone before they could be read: retention took them. */
  readonly onGap?: (gap: { readonly partition: number; readonly from: bigint; readonly to: bigint }) => void
  /** Told after every fetch, one without records too. */
  readonly onProgress?: (positions: Offsets) => void
  /** The cluster cannot be read at the moment; the tail goes on trying. */
  readonly onTrouble?: (error: MillraceError) => void
}

/** A reader that follows a topic, and reconnects by itself, until it is closed. */
export type Tail = {
  /** The offset after the last record that was handed over, by partition. */
  readonly positions: () => Offsets
  readonly close: () => Promise<void>
}

const timeouts = { connectTimeoutMs: 2_000, requestTimeoutMs: 6_000 } as const
const limits: FetchLimits = { maxWaitMs: 500, maxBytes: 4 * 1024 * 1024, partitionMaxBytes: 1024 * 1024 }
/** Under load a fetch answers at once with the little that has come since; this pause lets some gather. */
const gatherMs = 15
const retryDelayMinMs = 100
const retryDelayMaxMs = 2_000
/** New partitions are looked for after this time. */
const metadataMaxAgeMs = 15_000
const closeTimeoutMs = 2_000

/**
 * Follows all partitions of a topic, `read_committed`, outside any consumer group.
 * @throws MillraceError 'kafka.unknown-topic' | 'kafka.refused' | 'kafka.unavailable' when the start cannot be found
 */
export async function openTail(
  connection: KafkaConnection,
  topic: string,
  from: TailStart,
  listener: TailListener,
): Promise<Tail> {
  const positions = new Map(await startPositions(connection, topic, from))
  // Not shared with other tails: a fetch that waits at the broker holds up whatever comes after it on its connection.
  const client = new Client({ ...clientOptions(connection, timeouts), retries: 0, metadataMaxAge: 1_000 })
  const stop = new AbortController()
  const following = follow(client, topic, positions, listener, stop.signal)
  return {
    positions: () => new Map(positions),
    close: async () => {
      stop.abort()
      await within(closeTimeoutMs, 'closing a tail', client.close())
      await following
    },
  }
}

async function startPositions(connection: KafkaConnection, topic: string, from: TailStart): Promise<Offsets> {
  const admin = openAdmin(connection)
  try {
    if (from === 'latest') return await admin.endOffsets(topic)
    const starts = await admin.startOffsets(topic)
    return from === 'earliest' ? starts : new Map([...starts, ...from])
  } finally {
    await admin.close()
  }
}

type Positions = Map<number, bigint>

async function follow(
  client: Client,
  topic: string,
  positions: Positions,
  listener: TailListener,
  stop: AbortSignal,
): Promise<void> {
  let delayMs = retryDelayMinMs
  while (!isAborted(stop)) {
    try {
      await followLeaders(client, topic, positions, listener, stop)
      delayMs = retryDelayMinMs
    } catch (error) {
      // What fails because the tail was closed is no trouble.
      if (isAborted(stop)) return
      listener.onTrouble?.(kafkaError(error, `following ${topic}`))
      await sleep(delayMs, undefined, { signal: stop }).catch(() => undefined)
      delayMs = Math.min(retryDelayMaxMs, delayMs * 2)
    }
  }
}

/** Follows every leader on its own, so that none waits for another, until one fails or the metadata is old. */
async function followLeaders(
  client: Client,
  topic: string,
  positions: Positions,
  listener: TailListener,
  stop: AbortSignal,
): Promise<void> {
  const { topicId, leaders } = await leadersOf(client, topic)
  const round = new AbortController()
  const signal = AbortSignal.any([stop, round.signal, AbortSignal.timeout(metadataMaxAgeMs)])
  const loops = [...leaders].map(async ([broker, partitions]) => {
    try {
      while (!isAborted(signal)) {
        const wanted = new Map(partitions.map((partition) => [partition, positions.get(partition) ?? 0n]))
        const fetched = await fetchFrom(client, broker, { name: topic, id: topicId }, wanted, limits)
        await handOver(fetched, positions, listener)
        if (fetched.some(({ records }) => records.length > 0)) await sleep(gatherMs)
      }
    } finally {
      round.abort()
    }
  })
  const failed = (await Promise.allSettled(loops)).find((loop) => loop.status === 'rejected')
  if (failed) throw failed.reason
}

async function handOver(fetched: FetchedPartition[], positions: Positions, listener: TailListener): Promise<void> {
  const records = fetched.flatMap((partition) => partition.records)
  if (records.length > 0) await listener.onRecords(records)
  for (const { partition, next, start, outOfRange } of fetched) {
    positions.set(partition, outOfRange ? start : next)
    if (outOfRange && start > next) listener.onGap?.({ partition, from: next, to: start })
  }
  listener.onProgress?.(positions)
}

/** A call, since the state of a signal changes while others run. */
function isAborted(signal: AbortSignal): boolean {
  return signal.aborted
}
