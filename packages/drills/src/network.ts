/** What a network fault can be made of, on a stack that has the fault proxy. */
import { setTimeout as delay } from 'node:timers/promises'
import { MillraceError } from '@millrace/core/errors'
import { type Faults, openFaults } from '@millrace/faults/control-client'
import type { Fault, Order } from '@millrace/faults/fault'
import { brokerName } from '@millrace/stack/broker-name'
import type { Installation } from '@millrace/stack/installation'
import { faultListener, faultSocket } from '@millrace/stack/servers/fault-proxy'
import type { Ground } from './stage.ts'

/** A fault and whom it befalls; how long is said elsewhere. */
export type NetworkFault = Omit<Order, 'forMs'>

export type Network = {
  /** The listeners by which clients reach the brokers, one each. */
  readonly clients: readonly string[]
  /** Nothing passes to a broker or from it, but what it sends itself. What did not pass arrives later, as TCP would send it again. */
  readonly cutOff: (broker: string) => Promise<NetworkFault[]>
  /** Faults for a while; they are healed whatever happens. */
  readonly during: (forMs: number, faults: readonly NetworkFault[]) => Promise<void>
}

/** A fault whose drill was killed heals by itself so much later. */
const healSlackMs = 5_000
/** What is promised of recovery from a fault of the network. */
export const networkRecoverySecondsMax = 3
/** Nothing passes; when it is over, everything arrives. */
export const cut: Fault = { kind: 'black-hole', direction: 'both', bytes: 'held' }

/** @throws MillraceError 'stack.failed' with the way out, when the stack has no fault proxy */
export function requireFaultProxy({ faults }: Pick<Installation, 'faults'>): void {
  if (faults) return
  throw new MillraceError(
    'stack.failed',
    'this drill makes the network fail, for which the stack needs its fault proxy: stop it with "npx millrace down" and start it with "npx millrace up --faults"',
  )
}

export async function withNetwork(ground: Ground, use: (network: Network) => Promise<void>): Promise<void> {
  const faults = openFaults(faultSocket(ground.installation))
  try {
    await use(openNetwork(ground, faults))
  } finally {
    await faults.healAll().finally(() => faults.close())
  }
}

function openNetwork({ installation, signal, identityOf }: Ground, faults: Faults): Network {
  const { brokerNodes } = installation
  return {
    clients: brokerNodes.map((node) => faultListener(node, 'CLIENT')),
    cutOff: async (broker) => {
      const { pid } = await identityOf(broker)
      const own = brokerNodes.filter((node) => brokerName(node) === broker)
      const others = brokerNodes.filter((node) => brokerName(node) !== broker)
      const between = (['BROKER', 'CONTROLLER'] as const).flatMap((listener) =>
        others.map((node) => faultListener(node, listener)),
      )
      return [
        {
          listeners: own.flatMap((node) =>
            (['CLIENT', 'BROKER', 'CONTROLLER'] as const).map((listener) => faultListener(node, listener)),
          ),
          fault: cut,
          from: { except: pid },
        },
        ...(between.length === 0 ? [] : [{ listeners: between, fault: cut, from: { only: pid } }]),
      ]
    },
    during: async (forMs, wanted) => {
      const orders = wanted.map((one) => faults.order({ ...one, forMs: forMs + healSlackMs }))
      try {
        await Promise.all(orders)
        await delay(forMs, undefined, { signal })
      } finally {
        const settled = await Promise.allSettled(orders)
        await Promise.all(settled.flatMap((order) => (order.status === 'fulfilled' ? [faults.heal(order.value)] : [])))
      }
    },
  }
}
