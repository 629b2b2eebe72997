/** Teaches an instance the events that were stored before it came, and those that other instances store, from the topics themselves. */
import { setTimeout as sleep } from 'node:timers/promises'
import { fingerprintHeader } from '@millrace/core/kafka-binding'
import type { Admin, Offsets } from '@millrace/kafka/admin'
import type { KafkaConnection } from '@millrace/kafka/connection'
import { type Follower, type FollowerListener, openFollower } from '@millrace/kafka/follower'
import type { StoredRecord } from '@millrace/kafka/reader'
import type { Identities } from './identities.ts'

export type IdentityFeedOptions = {
  readonly identitiesMax: number
  readonly windowMs: number
  /** How long the start may wait for what was stored before it. */
  readonly catchUpMsMax: number
}

export type IdentityFeed = {
  /** Whether all that was stored before the start is known; false where it took too long, and it is still being read. */
  readonly caughtUp: Promise<boolean>
  /** Looks for new partitions at once. */
  readonly refresh: () => void
  readonly close: () => Promise<void>
}

type Reads = Pick<Admin, 'offsetsForTime' | 'endOffsets'>
type Begun = { readonly from: Offsets; readonly ends: Offsets }

/** How soon a new topic is followed. */
const sweepMs = 250
const retryMs = 500
/** Few large fetches cost less than many small ones, and a retry at another instance has a second until it must be recognised. */
const gatherBytes = 256 * 1024

/** Follows all topics of events, from where the window begins. `topics` says which there are at the moment. */
export function openIdentityFeed(
  connection: KafkaConnection,
  admin: Reads,
  topics: () => ReadonlySet<string>,
  identities: Pick<Identities, 'learn'>,
  options: IdentityFeedOptions,
  onTrouble: (error: unknown) => void,
): IdentityFeed {
  const catchUps = new Map<string, CatchUp>()
  const listener: FollowerListener = {
    onRecords: (topic, records) => {
      for (const record of records) learnRecord(identities, topic, record)
    },
    onProgress: (topic, positions) => catchUps.get(topic)?.reached(positions),
    onTrouble,
  }
  const follower = openFollower(connection, listener, gatherBytes)
  const begin = async (topic: string, catchUp: CatchUp): Promise<void> => {
    // Until it can be read, or is not wanted any more.
    while (catchUps.get(topic) === catchUp) {
      try {
        const { from, ends } = await begunOf(admin, topic, options)
        if (catchUps.get(topic) !== catchUp) return
        catchUp.upTo(ends)
        catchUp.reached(await follower.follow(topic, from))
        return
      } catch (error) {
        if (catchUps.get(topic) === catchUp) onTrouble(error)
        await sleep(retryMs, undefined, { ref: false })
      }
    }
  }
  const sweep = (): Promise<unknown>[] => {
    const wanted = topics()
    for (const topic of catchUps.keys()) if (!wanted.has(topic)) forget(topic, catchUps, follower)
    return [...wanted]
      .filter((topic) => !catchUps.has(topic))
      .map((topic) => {
        const catchUp = createCatchUp()
        catchUps.set(topic, catchUp)
        return begin(topic, catchUp).then(() => catchUp.done)
      })
  }
  const timer = setInterval(() => void sweep(), sweepMs)
  return {
    caughtUp: Promise.race([Promise.all(sweep()).then(() => true), sleep(options.catchUpMsMax, false, { ref: false })]),
    refresh: follower.refresh,
    close: () => {
      clearInterval(timer)
      catchUps.clear()
      return follower.close()
    },
  }
}

function forget(topic: string, catchUps: Map<string, CatchUp>, follower: Follower): void {
  catchUps.delete(topic)
  follower.unfollow(topic)
}

/** From where the window begins, but no more records than could be kept. */
async function begunOf(admin: Reads, topic: string, { windowMs, identitiesMax }: IdentityFeedOptions): Promise<Begun> {
  const [starts, ends] = await Promise.all([
    admin.offsetsForTime(topic, Date.now() - windowMs),
    admin.endOffsets(topic),
  ])
  const recordsMax = BigInt(Math.ceil(identitiesMax / Math.max(1, ends.size)))
  const from = [...ends].map(([partition, end]): [number, bigint] => {
    const start = starts.get(partition) ?? end
    return [partition, end - start > recordsMax ? end - recordsMax : start]
  })
  return { from: new Map(from), ends }
}

type CatchUp = {
  readonly done: Promise<unknown>
  readonly upTo: (ends: Offsets) => void
  readonly reached: (positions: Offsets) => void
}

function createCatchUp(): CatchUp {
  const { promise, resolve } = Promise.withResolvers<undefined>()
  let left: Offsets | undefined
  return {
    done: promise,
    upTo: (ends) => {
      left = ends
    },
    reached: (positions) => {
      if (left && [...left].every(([partition, end]) => (positions.get(partition) ?? 0n) >= end)) resolve(undefined)
    },
  }
}

/** Records without a fingerprint are of other writers. */
function learnRecord(identities: Pick<Identities, 'learn'>, topic: string, record: StoredRecord): void {
  const { headers, partition, offset, timestampMs } = record
  const fingerprint = headers.get(fingerprintHeader)
  const source = headers.get('ce_source')
  const id = headers.get('ce_id')
  if (fingerprint === undefined || source === undefined || id === undefined) return
  const schemaId = Number(/\d+$/.exec(headers.get('ce_dataschema') ?? '')?.[0] ?? 0)
  identities.learn({ source, id, fingerprint }, { topic, partition, offset: Number(offset), timestampMs, schemaId })
}
