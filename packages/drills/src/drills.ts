import { brokerDrills } from './broker-drills.ts'
import { clientDrills } from './client-drills.ts'
import { combinationOf } from './combined.ts'
import type { Drill } from './drill.ts'
import { gatewayDrills } from './gateway-drills.ts'
import { machineDrills } from './machine-drills.ts'
import { networkDrills } from './network-drills.ts'
import { poisonDrills } from './poison-drill.ts'
import { registryDrills } from './registry-drills.ts'
import { registryNetworkDrills } from './registry-network-drills.ts'
import { tokenDrills } from './token-drills.ts'
import { workerDrills } from './worker-drills.ts'

/** The drill of a name, if there is one. */
export function drillOf(name: string): Drill | undefined {
  return drills.find((drill) => drill.name === name)
}

const alone: readonly Drill[] = [
  ...brokerDrills,
  ...gatewayDrills,
  ...registryDrills,
  ...networkDrills,
  ...registryNetworkDrills,
  ...tokenDrills,
  ...workerDrills,
  ...poisonDrills,
  ...clientDrills,
  ...machineDrills,
]

/** Those that end soon, need nothing of the machine, and send as all others do. */
const combinable = new Set([
  'leader-kill',
  'controller-kill',
  'brokers-paused',
  'gateway-kill',
  'gateway-stop',
  'registry-paused',
  'jwks-rotation',
  'jwks-broken',
  'client-disconnect',
])

/** What happens in a soak: besides, faults of the network. */
export const soakFaults: readonly Drill[] = alone.filter(
  ({ name }) => combinable.has(name) || name.startsWith('network-') || name.endsWith('-partition'),
)

/** Every drill that there is, in the order in which `npm run drills` runs them. */
export const drills: readonly Drill[] = [...alone, combinationOf(alone.filter(({ name }) => combinable.has(name)))]
