/** The broker that coordinates a consumer group or a transaction, found again whenever it is another one. */
import { setTimeout as sleep } from 'node:timers/promises'
import { MillraceError } from '@millrace/core/errors'
import { type Connection, findCoordinatorV6, FindCoordinatorKeyTypes } from '@platformatic/kafka'
import { backoffMs } from './backoff.ts'
import type { BrokerConnections } from './broker-connections.ts'
import type { Cluster } from './cluster.ts'
import { kafkaError, protocolErrors } from './errors.ts'

export type Coordinated = { readonly kind: 'group' | 'transaction'; readonly id: string }

export type Coordinator = {
  /**
   * Makes a request, again and again until it is answered, `deadlineMs` at most: so it must be one that may come twice. `signal` ends
   * the attempts. A coordinator that fails in itself is asked again too: Kafka 4.3 does on a commit that meets a take-over half-way (in
   * `TransactionMetadata.prepareTransitionTo`, which `endTransaction` reaches while a fence is pending), and says `fenced` afterwards.
   * @throws MillraceError 'kafka.unavailable' | 'kafka.refused'; `protocolErrors` names what was answered
   */
  readonly ask: <T>(
    what: string,
    deadlineMs: number,
    request: (connection: Connection) => Promise<T>,
    signal?: AbortSignal,
  ) => Promise<T>
}

const keyTypes = { group: FindCoordinatorKeyTypes.GROUP, transaction: FindCoordinatorKeyTypes.TRANSACTION }
const elsewhere = ['NOT_COORDINATOR', 'COORDINATOR_NOT_AVAILABLE'] as const

export function coordinatorOf(
  { kind, id }: Coordinated,
  cluster: Pick<Cluster, 'brokers'>,
  connections: BrokerConnections,
): Coordinator {
  let broker: number | undefined

  async function find(): Promise<number> {
    const brokers = await cluster.brokers()
    // Any broker knows; another one is asked each time, for one may be the reason for asking.
    const asked = brokers[Math.floor(Math.random() * brokers.length)]
    if (asked === undefined) throw new MillraceError('kafka.unavailable', 'no broker is known')
    const { coordinators } = await request(asked, (connection) =>
      findCoordinatorV6.api.async(connection, keyTypes[kind], [id]),
    )
    const found = coordinators[0]
    if (!found) throw new MillraceError('kafka.unavailable', `the coordinator of ${kind} ${id} is not known`)
    return found.nodeId
  }

  async function request<T>(to: number, make: (connection: Connection) => Promise<T>): Promise<T> {
    const connection = await connections.to(to)
    try {
      return await make(connection)
    } catch (error) {
      if (protocolErrors(error).size === 0) connections.drop(connection)
      throw error
    }
  }

  async function attempt<T>(make: (connection: Connection) => Promise<T>): Promise<T> {
    try {
      broker ??= await find()
      return await request(broker, make)
    } catch (error) {
      const told = protocolErrors(error)
      if (told.size === 0 || elsewhere.some((name) => told.has(name))) broker = undefined
      throw error
    }
  }

  return {
    ask: async (what, deadlineMs, make, signal) => {
      const endMs = performance.now() + deadlineMs
      for (let attempts = 0; ; attempts += 1) {
        try {
          return await attempt(make)
        } catch (error) {
          const failure = kafkaError(error, what)
          const delayMs = backoffMs(attempts)
          const isOver = performance.now() + delayMs > endMs || signal?.aborted === true
          const mayPass = failure.retryable || protocolErrors(error).has('UNKNOWN_SERVER_ERROR')
          if (!mayPass || isOver) throw failure
          await sleep(delayMs, undefined, signal && { signal }).catch(() => undefined)
        }
      }
    },
  }
}
