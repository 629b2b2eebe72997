import { brokerDrills } from './broker-drills.ts'
import { clientDrills } from './client-drills.ts'
import type { Drill } from './drill.ts'
import { gatewayDrills } from './gateway-drills.ts'
import { machineDrills } from './machine-drills.ts'
import { registryDrills } from './registry-drills.ts'
import { tokenDrills } from './token-drills.ts'

/** The drill of a name, if there is one. */
export function drillOf(name: string): Drill | undefined {
  return drills.find((drill) => drill.name === name)
}

/** Every drill that there is, in the order in which `npm run drills` runs them. */
export const drills: readonly Drill[] = [
  ...brokerDrills,
  ...gatewayDrills,
  ...registryDrills,
  ...tokenDrills,
  ...clientDrills,
  ...machineDrills,
]
