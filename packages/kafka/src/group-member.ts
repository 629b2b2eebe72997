/**
 * A member of a consumer group by the protocol of KIP-848: the broker decides who has which partitions, and takes them from one member
 * only after that one has let go of them (cooperative, in steps). What a member commits counts only under its current epoch, so one that
 * was taken for dead commits nothing.
 * @see https://cwiki.apache.org/confluence/display/KAFKA/KIP-848
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { MillraceError } from '@millrace/core/errors'
import { consumerGroupHeartbeatV1 } from '@platformatic/kafka'
import { backoffMs } from './backoff.ts'
import { brokerConnections } from './broker-connections.ts'
import { openCluster } from './cluster.ts'
import type { KafkaConnection } from './connection.ts'
import { type Coordinator, coordinatorOf } from './coordinator.ts'
import { unlessAborted } from './deadline.ts'
import { kafkaError, protocolErrors } from './errors.ts'
import { type Committed, stableOffsets } from './stable-offsets.ts'

export type { Committed } from './stable-offsets.ts'
export type CommittedOffsets = ReadonlyMap<number, Committed>

export type GroupOptions = {
  readonly group: string
  readonly topic: string
  /** How long a member may take to let go of partitions before it is taken for dead. */
  readonly rebalanceTimeoutMs: number
}

export type GroupListener = {
  /**
   * These partitions are this member's from now on, with what the group has committed; those without a commit are `undefined`. One with a
   * transaction that is still open comes when that has ended, after the others. Commits are kept by the topic's name: they may be of a topic
   * with another id, that is gone.
   */
  readonly onAssigned: (partitions: ReadonlyMap<number, Committed | undefined>, topicId: string) => void
  /** These are another's when the promise is fulfilled: until then the member finishes what it has begun there, and commits it. */
  readonly onRevoked: (partitions: readonly number[]) => Promise<void>
  /** The group has taken the member for dead: all that it had may be another's already. It joins again by itself. */
  readonly onLost: () => void
  /** The group cannot be reached, or refuses the member, at the moment; it goes on trying. */
  readonly onTrouble: (error: MillraceError) => void
}

/** Who commits, to the group. */
export type MemberIdentity = { readonly memberId: string; readonly memberEpoch: number }

export type GroupMember = {
  readonly identity: () => MemberIdentity
  /** Resolves when the group has answered once more, so that the epoch is its newest; or after a while. */
  readonly heard: () => Promise<void>
  /** Lets go of everything, as when it is revoked, and leaves the group. */
  readonly leave: () => Promise<void>
}

const joining = 0
const leaving = -1
const heartbeatDeadlineMs = 10_000
const offsetsDeadlineMs = 10_000
/** Some seconds. Transactions of a worker that died are ended by their time-out, which takes longer; others end at once. */
const unstableAttemptsMax = 10
const leaveDeadlineMs = 2_000
const retryMs = 1_000
const lostTo = ['UNKNOWN_MEMBER_ID', 'FENCED_MEMBER_EPOCH', 'GROUP_ID_NOT_FOUND'] as const

/** Joins a group. The listener is told of partitions from then on. */
export function joinGroup(connection: KafkaConnection, options: GroupOptions, listener: GroupListener): GroupMember {
  const member = new Member(connection, options, listener)
  member.start()
  return member
}

type Held = { readonly topicId: string; readonly partitions: readonly number[] }

const nothing: Held = { topicId: '', partitions: [] }

class Member implements GroupMember {
  readonly #options: GroupOptions
  readonly #listener: GroupListener
  readonly #cluster
  readonly #coordinator: Coordinator
  #memberId = crypto.randomUUID()
  /** Nothing more is taken. */
  readonly #leave = new AbortController()
  /** No more heartbeats. */
  readonly #stop = new AbortController()
  #epoch = joining
  #owned = nothing
  #target = nothing
  /** Aborted when the target is another. */
  #superseded = new AbortController()
  #reconciling: Promise<void> | undefined
  #beating: Promise<void> = Promise.resolve()
  #hurry = Promise.withResolvers<undefined>()
  #answered = Promise.withResolvers<undefined>()

  constructor(connection: KafkaConnection, options: GroupOptions, listener: GroupListener) {
    this.#options = options
    this.#listener = listener
    this.#cluster = openCluster(connection)
    const connections = brokerConnections(this.#cluster.connect)
    this.#coordinator = coordinatorOf({ kind: 'group', id: options.group }, this.#cluster, connections)
  }

  start(): void {
    this.#beating = this.#beat()
  }

  readonly identity = (): MemberIdentity => ({ memberId: this.#memberId, memberEpoch: this.#epoch })

  readonly heard = async (): Promise<void> => {
    const { promise } = this.#answered
    this.#soon()
    await Promise.race([promise, sleep(heartbeatDeadlineMs, undefined, { ref: false })])
  }

  readonly leave = async (): Promise<void> => {
    this.#leave.abort()
    this.#retarget(nothing)
    this.#reconcile()
    await this.#reconciling
    this.#stop.abort()
    this.#soon()
    await this.#beating
    if (this.#epoch !== joining) await this.#heartbeat(leaving, leaveDeadlineMs).catch(() => undefined)
    await this.#cluster.close()
  }

  async #beat(): Promise<void> {
    while (!this.#isStopped()) {
      this.#hurry = Promise.withResolvers()
      const delayMs = await this.#beatOnce()
      this.#answered.resolve(undefined)
      this.#answered = Promise.withResolvers()
      await Promise.race([this.#hurry.promise, sleep(delayMs, undefined, { signal: this.#stop.signal })]).catch(
        () => undefined,
      )
    }
  }

  /** @returns when the next is due */
  async #beatOnce(): Promise<number> {
    try {
      const { memberEpoch, heartbeatIntervalMs, assignment } = await this.#heartbeat(this.#epoch, heartbeatDeadlineMs)
      this.#epoch = memberEpoch
      if (assignment && !this.#isLeaving()) this.#aim(assignment.topicPartitions[0] ?? nothing)
      return heartbeatIntervalMs
    } catch (error) {
      if (this.#isStopped()) return 0
      const told = protocolErrors(error)
      if (lostTo.some((name) => told.has(name))) {
        const delayMs = this.#epoch === joining ? retryMs : 0
        this.#lose()
        return delayMs
      }
      this.#listener.onTrouble(kafkaError(error, `taking part in the group ${this.#options.group}`))
      return retryMs
    }
  }

  #heartbeat(epoch: number, deadlineMs: number) {
    const { group, topic, rebalanceTimeoutMs } = this.#options
    const { topicId, partitions } = this.#owned
    const held = epoch === joining || partitions.length === 0 ? [] : [{ topicId, partitions: [...partitions] }]
    return this.#coordinator.ask(
      `taking part in the group ${group}`,
      deadlineMs,
      (to) =>
        consumerGroupHeartbeatV1.api.async(
          to,
          group,
          this.#memberId,
          epoch,
          null,
          null,
          rebalanceTimeoutMs,
          [topic],
          null,
          null,
          held,
        ),
      epoch === leaving ? undefined : this.#stop.signal,
    )
  }

  /** Told with every answer, so mostly nothing new. */
  #aim(target: Held): void {
    const { topicId, partitions } = this.#target
    const isSame = topicId === target.topicId && partitions.join() === target.partitions.join()
    if (!isSame) this.#retarget(target)
    this.#reconcile()
  }

  /** What is waited for on the way to the former target would hold up that to the new one. */
  #retarget(target: Held): void {
    this.#target = target
    this.#superseded.abort()
    this.#superseded = new AbortController()
  }

  /**
   * Joins as somebody else: as the same it might get the epoch again that it had, and a commit that is still under way would count after
   * the new owner, or it itself, has begun from what was committed before.
   */
  #lose(): void {
    if (this.#epoch === joining) return // it had nothing
    this.#epoch = joining
    this.#memberId = crypto.randomUUID()
    this.#owned = nothing
    this.#retarget(nothing)
    this.#listener.onLost()
  }

  #soon(): void {
    this.#hurry.resolve(undefined)
  }

  /** Goes from what is held to what was assigned, one step after another; heartbeats go on meanwhile. */
  #reconcile(): void {
    this.#reconciling ??= this.#reach().finally(() => {
      this.#reconciling = undefined
    })
  }

  async #reach(): Promise<void> {
    for (let attempts = 0; ;) {
      const { topicId, partitions: wanted } = this.#target
      const { partitions: held } = this.#owned
      const kept = topicId === this.#owned.topicId ? held.filter((partition) => wanted.includes(partition)) : []
      const revoked = held.filter((partition) => !kept.includes(partition))
      const added = wanted.filter((partition) => !kept.includes(partition))
      if (revoked.length > 0) await this.#letGo(revoked)
      else if (added.length > 0) attempts = (await this.#take(topicId, added, attempts)) ? 0 : attempts + 1
      else return
    }
  }

  async #letGo(revoked: readonly number[]): Promise<void> {
    const owned = this.#owned
    await this.#listener.onRevoked(revoked)
    if (this.#owned !== owned) return // lost meanwhile
    this.#owned = { ...owned, partitions: owned.partitions.filter((partition) => !revoked.includes(partition)) }
    this.#soon()
  }

  /**
   * Takes those partitions in which no transaction is open.
   * @returns whether there was one
   */
  async #take(topicId: string, added: readonly number[], attempts: number): Promise<boolean> {
    const { signal } = this.#superseded
    const what = `beginning with partitions of ${this.#options.topic}`
    const pause = () => sleep(backoffMs(attempts), undefined, { signal }).catch(() => undefined)
    try {
      const committed = await unlessAborted(signal, this.#committed(added, signal))
      if (!committed) return true
      if (committed.size > 0) {
        this.#owned = { topicId, partitions: [...this.#owned.partitions, ...committed.keys()] }
        this.#listener.onAssigned(committed, topicId)
        this.#soon()
        return true
      }
      if (attempts >= unstableAttemptsMax) {
        const which = added.join(', ')
        throw new MillraceError('kafka.unavailable', `${what}: a transaction is open in ${which}, it has to end first`)
      }
    } catch (error) {
      this.#listener.onTrouble(kafkaError(error, what))
    }
    await pause()
    return false
  }

  #committed(partitions: readonly number[], signal: AbortSignal): Promise<ReadonlyMap<number, Committed | undefined>> {
    const { group, topic } = this.#options
    return this.#coordinator.ask(
      `reading what ${group} has committed`,
      offsetsDeadlineMs,
      (to) => stableOffsets(to, group, topic, partitions),
      signal,
    )
  }

  /** Calls, since the state of a signal changes while others run. */
  #isLeaving(): boolean {
    return this.#leave.signal.aborted
  }

  #isStopped(): boolean {
    return this.#stop.signal.aborted
  }
}
