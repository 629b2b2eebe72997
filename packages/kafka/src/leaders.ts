/** Who leads the partitions of topics: answered at once where it was asked before, and asked again when it seems to be another. */
import { setTimeout as sleep } from 'node:timers/promises'
import { leaderless } from './fetch.ts'

/** Who leads a partition; each change has the next epoch. */
export type PartitionLeader = { readonly broker: number; readonly epoch: number }

/** The leaders of a topic's partitions. One that was made anew has another id, and begins with the first epoch again. */
export type TopicState = { readonly id: string; readonly leaders: readonly PartitionLeader[] }

export type Leaders = {
  /** How many partitions a topic has; `undefined` until it was asked for. */
  readonly partitions: (topic: string) => number | undefined
  /** Rejects with what asking does. */
  readonly askFor: (topic: string) => Promise<void>
  /** The broker that leads a partition, as far as is known. */
  readonly leader: (topic: string, partition: number) => number | undefined
  /** A broker has told who leads a partition, as far as it knows itself. */
  readonly learn: (topic: string, partition: number, leader: PartitionLeader) => void
  /** Asks until another broker than this one leads the partition, `forMs` at most, and tells whether one does. */
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

/** @param ask for the state of these topics now; fails for all when it fails for one */
export function createLeaders(ask: (topics: readonly string[]) => Promise<ReadonlyMap<string, TopicState>>): Leaders {
  const topics = new Map<string, TopicState>()
  const underWay = new Map<string, Promise<void>>()
  const waits = new Set<{ readonly topic: string }>()
  let refreshing: Promise<void> | undefined
  let askingSoon: Promise<void> | undefined
  let askedMs = -Infinity

  const askAll = async (names: readonly string[]): Promise<void> => {
    for (const [name, told] of await ask(names)) topics.set(name, latest(told, topics.get(name)))
  }
  const askFor = (topic: string): Promise<void> => {
    const current = underWay.get(topic)
    if (current) return current
    const request = askAll([topic]).finally(() => underWay.delete(topic))
    underWay.set(topic, request)
    return request
  }
  const askEach = async (names: readonly string[]): Promise<void> => {
    if (names.length === 0) return
    // One that cannot be asked for fails them all, so each for itself.
    await askAll(names).catch(() => Promise.allSettled(names.map(askFor)))
  }
  const refresh = (): Promise<void> => {
    refreshing ??= askEach([...topics.keys()]).finally(() => (refreshing = undefined))
    return refreshing
  }
  /** All who wait ask together, and for nothing else: a topic that is gone takes long to ask for. */
  const askSoon = (): Promise<void> => {
    const delayMs = Math.max(0, askedMs + askAgainMs - performance.now())
    askingSoon ??= pause(delayMs)
      .then(() => {
        askedMs = performance.now()
        return askEach([...new Set([...waits].map(({ topic }) => topic))])
      })
      .finally(() => (askingSoon = undefined))
    return askingSoon
  }
  const leader = (topic: string, partition: number): number | undefined => {
    const broker = topics.get(topic)?.leaders[partition]?.broker
    return broker === leaderless ? undefined : broker
  }

  return {
    ...{ askFor, leader, refresh },
    partitions: (topic) => topics.get(topic)?.leaders.length,
    learn: (topic, partition, told) => {
      const known = topics.get(topic)
      const current = known?.leaders[partition]
      if (!known || !current || newer(current, told) === current) return
      topics.set(topic, { ...known, leaders: known.leaders.with(partition, told) })
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

/** Who was asked may be behind what another has told. */
function latest(told: TopicState, known: TopicState | undefined): TopicState {
  if (known?.id !== told.id) return told
  return { id: told.id, leaders: told.leaders.map((leader, partition) => newer(leader, known.leaders[partition])) }
}

/** @returns the first of two, unless the other has a later epoch */
function newer(one: PartitionLeader, other: PartitionLeader | undefined): PartitionLeader {
  return other && other.epoch > one.epoch ? other : one
}

const pause = (ms: number) => sleep(ms, undefined, { ref: false })
