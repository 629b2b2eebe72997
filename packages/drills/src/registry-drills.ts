import { noRequestFails } from './drill-checks.ts'
import type { Drill } from './drill.ts'

const registry = 'registry'
const pauseMs = 15_000
const recoveryBound = 'nothing: schemas that are known are cached'

export const registryDrills: readonly Drill[] = [
  {
    name: 'registry-down',
    says: 'kill -9 of the schema registry: known types are taken all the while',
    recoveryBound,
    fault: async (stage) => {
      await stage.kill(registry)
      return [noRequestFails]
    },
  },
  {
    name: 'registry-paused',
    says: `the schema registry stands still for ${pauseMs / 1_000} s, and answers nobody: known types are taken all the while`,
    recoveryBound,
    fault: async (stage) => {
      await stage.pause([registry], pauseMs)
      return [noRequestFails]
    },
  },
]
