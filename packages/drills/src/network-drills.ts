/** What a network does wrong: to all clients, to one broker, and at random. */
import { seededRandom } from '@millrace/core/random'
import { brokerName } from '@millrace/stack/broker-name'
import { faultListener } from '@millrace/stack/servers/fault-proxy'
import type { Drill } from './drill.ts'
import { cut, type Network, networkRecoverySecondsMax, requireFaultProxy, withNetwork } from './network.ts'
import { oneOf, planFaults } from './random-faults.ts'
import type { Stage } from './stage.ts'

const faultMs = 10_000
const swallowedMs = 5_000
const partitionMs = 20_000
const randomMs = 24_000
const resetPauseMs = { min: 250, max: 1_750 } as const

const clientsBound =
  'at that moment: a connect that hangs (2 s), an answer that was lost (waited for 4 s), the pause before the next attempt (up to 1 s); and who sends again, 1 s after 503 at the soonest'
const brokerBound = `${clientsBound}; partitions go back to their preferred leader when that has caught up (looked at every 5 s)`

type NetworkDrill = Pick<Drill, 'name' | 'says' | 'recoveryBound'> & {
  readonly network: (network: Network, stage: Stage) => Promise<void>
}

function networkDrill({ network, ...drill }: NetworkDrill): Drill {
  return {
    ...drill,
    recoverySecondsMax: networkRecoverySecondsMax,
    requires: requireFaultProxy,
    calmsDown: true,
    fault: async (stage) => {
      await withNetwork(stage, (opened) => network(opened, stage))
      stage.over()
      await stage.brokersReady()
      return undefined
    },
  }
}

const clientDrills: readonly NetworkDrill[] = [
  {
    name: 'network-latency',
    says: `300 ± 100 ms to and from all brokers, for the clients, for ${faultMs / 1_000} s`,
    recoveryBound: 'what is under way at that moment',
    network: ({ clients, during }, { seed }) =>
      during(faultMs, [
        { listeners: [...clients], fault: { kind: 'latency', direction: 'both', ms: 300, jitterMs: 100, seed } },
      ]),
  },
  {
    name: 'network-reset',
    says: `all connections of clients are reset (RST) again and again for ${faultMs / 1_000} s`,
    recoveryBound: clientsBound,
    network: async ({ clients, during }, { seed, wait }) => {
      const random = seededRandom(seed)
      const endMs = performance.now() + faultMs
      while (performance.now() < endMs) {
        await during(0, [{ listeners: [...clients], fault: { kind: 'reset', direction: 'both', afterBytes: 0 } }])
        await wait(resetPauseMs.min + random() * (resetPauseMs.max - resetPauseMs.min))
      }
    },
  },
  {
    name: 'network-black-hole',
    says: `what one broker answers its clients is lost for ${swallowedMs / 1_000} s: it has stored what it could not acknowledge`,
    recoveryBound: clientsBound,
    network: ({ clients, during }, { seed }) =>
      during(swallowedMs, [
        {
          listeners: [oneOf(clients, seededRandom(seed))],
          fault: { kind: 'black-hole', direction: 'down', bytes: 'lost' },
        },
      ]),
  },
  {
    name: 'network-cut',
    says: `nothing passes between clients and all brokers for ${faultMs / 1_000} s`,
    recoveryBound: clientsBound,
    network: ({ clients, during }) => during(faultMs, [{ listeners: [...clients], fault: cut }]),
  },
]

const brokerDrills: readonly NetworkDrill[] = [
  {
    name: 'broker-partition',
    says: `a broker that is not the controller is cut off from clients, brokers and controllers for ${partitionMs / 1_000} s, and comes back`,
    recoveryBound: brokerBound,
    network: async ({ cutOff, during }, { installation, seed, controller }) => {
      const active = await controller()
      const others = installation.brokerNodes.map(brokerName).filter((name) => name !== active)
      await during(partitionMs, await cutOff(others.length === 0 ? active : oneOf(others, seededRandom(seed))))
    },
  },
  {
    name: 'controller-partition',
    says: `the active controller is cut off from clients, brokers and controllers for ${partitionMs / 1_000} s, and comes back`,
    recoveryBound: brokerBound,
    network: async ({ cutOff, during }, { controller }) => during(partitionMs, await cutOff(await controller())),
  },
  {
    name: 'network-random',
    says: `several faults of the network at once, left to chance (--seed), for ${randomMs / 1_000} s`,
    recoveryBound: brokerBound,
    network: atRandom,
  },
]

export const networkDrills: readonly Drill[] = [...clientDrills, ...brokerDrills].map(networkDrill)

/** Each fault is told as it begins. */
async function atRandom({ cutOff, during }: Network, { installation, seed, note, wait }: Stage): Promise<void> {
  const planned = planFaults(seed, installation.brokerNodes, randomMs)
  await Promise.all(
    planned.map(async ({ atMs, forMs, what }) => {
      await wait(atMs)
      note(`  ${(atMs / 1_000).toFixed(1)} s, for ${(forMs / 1_000).toFixed(1)} s: ${JSON.stringify(what)}`)
      if (what.kind === 'cut-off') return during(forMs, await cutOff(brokerName(what.node)))
      const listeners = what.nodes.map((node) => faultListener(node, 'CLIENT'))
      return during(forMs, [{ listeners, fault: what.fault }])
    }),
  )
}
