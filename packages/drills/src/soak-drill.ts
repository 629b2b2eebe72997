/** One round of a soak: load for a long time, and one fault after the other out of those that there are. */
import { seededRandom } from '@millrace/core/random'
import type { Check } from '@millrace/ledger/check'
import { noRequestFails } from './drill-checks.ts'
import type { Drill } from './drill.ts'

/** Between two faults: requests that were given up are sent again meanwhile, and the rate is what was asked for. */
const calmMs = { min: 8_000, max: 16_000 } as const

export type SoakRound = {
  /** What is left to chance: each is done once at most, since some name their events always alike. */
  readonly faults: readonly Drill[]
  readonly forMs: number
  /** Told when a fault begins. */
  readonly onFault: (name: string) => void
}

/** A drill whose seed decides which faults come in which order. It ends when its time is over, or with the fault that stands then. */
export function soakDrill({ faults, forMs, onFault }: SoakRound): Drill {
  return {
    name: 'soak',
    says: `load for ${Math.round(forMs / 1_000)} s, and faults left to chance (--seed)`,
    recoveryBound: 'what bounds the last of its faults',
    fault: async (stage) => {
      const random = seededRandom(stage.seed)
      const left = [...faults]
      const checks: Check[] = []
      const endMs = performance.now() + forMs
      while (performance.now() < endMs) {
        const calm = calmMs.min + random() * (calmMs.max - calmMs.min)
        await stage.wait(Math.min(calm, Math.max(0, endMs - performance.now())))
        const next = left.splice(Math.floor(random() * left.length), 1)
        for (const fault of performance.now() < endMs ? next : []) {
          onFault(fault.name)
          stage.note(`${fault.says} …`)
          checks.push(...((await fault.fault({ ...stage, seed: Math.floor(random() * 2 ** 31) })) ?? []))
        }
      }
      stage.over()
      // Requests that one of them lets through another may well break.
      return checks.filter((check) => check !== noRequestFails)
    },
  }
}
