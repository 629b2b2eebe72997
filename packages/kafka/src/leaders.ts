/** Who leads the partitions of topics: told at once where that is known, and asked for again when a partition seems to have another leader. */
import { setTimeout as sleep } from 'node:timers/promises'
import { MillraceError } from '@millrace/core/errors'

/** How a partition's leader is named that has none at the moment. */
export const leaderless = -1

/** Who leads a partition; each change has the next epoch. */
export type PartitionLeader = { readonly broker: number; readonly epoch: number }

export type Leaders = {
  /** How many partitions a topic has; `undefined` until it was asked for. */
  readonly partitions: (topic: string) => number | undefined
  /** @throws MillraceError why the leaders of the topic cannot be told */
  readonly askFor: (topic: string) => Promise<void>
  /** The broker that leads a partition, as far as is known. */
  readonly leader: (topic: string, partition: number) => number | undefined
  /** A broker has told who leads a partition, as far as it knows itself. */
  readonly learn: (topic: string, partition: number, leader: PartitionLeader) => void
  /** Waits until another broker than this one leads the partition, `forMs` at most, and tells whether one does. */
  readonly anotherLeader: (
    topic: string,
    partition: number,
    former: number | undefined,
    forMs: number,
  ) => Promise<boolean>
  /** Asks for all topics again; a topic that cannot be asked for stays as it was. */
  readonly refresh: () => Promise<void>
}

/** While somebody waits for another leader. */
const askAgainMs = 100
/** A broker learns of a new topic a little later than whoever made it. */
const unknownTopicAttempts = { max: 4, delayMs: 200 } as const

/** @param ask for the leaders of these topics now, or why they cannot be told; rejects when nobody answers */
export function createLeaders(
  ask: (topics: readonly string[]) => Promise<ReadonlyMap<string, readonly PartitionLeader[] | MillraceError>>,
): Leaders {
  const topics = new Map<string, readonly PartitionLeader[]>()
  const underWay = new Map<string, Promise<void>>()
  const waits = new Set<{ readonly topic: string }>()
  let refreshing: Promise<void> | undefined
  let askingSoon: Promise<void> | undefined
  let askedMs = -Infinity

  /** @returns why some could not be told */
  const askAll = async (names: readonly string[]): Promise<MillraceError[]> => {
    const failures: MillraceError[] = []
    for (const [name, leaders] of await ask(names)) {
      if (leaders instanceof MillraceError) failures.push(leaders)
      else topics.set(name, leaders)
    }
    return failures
  }
  const askUntilKnown = async (topic: string): Promise<void> => {
    for (let attempt = 1; ; attempt += 1) {
      const [failure] = await askAll([topic])
      if (!failure) return
      if (failure.code !== 'kafka.unknown-topic' || attempt === unknownTopicAttempts.max) throw failure
      await pause(unknownTopicAttempts.delayMs)
    }
  }
  const askFor = (topic: string): Promise<void> => {
    const current = underWay.get(topic)
    if (current) return current
    const request = askUntilKnown(topic).finally(() => underWay.delete(topic))
    underWay.set(topic, request)
    return request
  }
  /** What cannot be told stays as it was. */
  const askAgain = async (names: readonly string[]): Promise<void> => {
    if (names.length > 0) await askAll(names).catch(() => undefined)
  }
  const refresh = (): Promise<void> => {
    refreshing ??= askAgain([...topics.keys()]).finally(() => (refreshing = undefined))
    return refreshing
  }
  /** All who wait ask together. */
  const askSoon = (): Promise<void> => {
    const delayMs = Math.max(0, askedMs + askAgainMs - performance.now())
    askingSoon ??= pause(delayMs)
      .then(() => {
        askedMs = performance.now()
        return askAgain([...new Set([...waits].map(({ topic }) => topic))])
      })
      .finally(() => (askingSoon = undefined))
    return askingSoon
  }
  const leader = (topic: string, partition: number): number | undefined => {
    const broker = topics.get(topic)?.[partition]?.broker
    return broker === leaderless ? undefined : broker
  }

  return {
    ...{ askFor, leader, refresh },
    partitions: (topic) => topics.get(topic)?.length,
    learn: (topic, partition, told) => {
      const known = topics.get(topic)
      const current = known?.[partition]
      // Who is asked next may be behind and say otherwise: then the former leader is tried once more, and where it lives names this one again.
      if (known && current && told.epoch > current.epoch) topics.set(topic, known.with(partition, told))
    },
    anotherLeader: async (topic, partition, former, forMs) => {
      const isFound = () => (leader(topic, partition) ?? former) !== former
      const isOver = pause(forMs).then(() => true)
      const wait = { topic }
      waits.add(wait)
      try {
        while (!isFound()) if (await Promise.race([isOver, askSoon()])) return isFound()
        return true
      } finally {
        waits.delete(wait)
      }
    },
  }
}

const pause = (ms: number) => sleep(ms, undefined, { ref: false })
