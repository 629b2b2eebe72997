import type { Check } from '@millrace/ledger/check'
import type { Drill } from './drill.ts'

/** Several drills under one load, one after the other: what has to hold in one of them has to hold in all. */
export function combined(drills: readonly Drill[]): Drill {
  return {
    name: drills.map(({ name }) => name).join('-'),
    says: drills.map(({ says }) => says).join('; then '),
    recoveryBound: drills.map(({ recoveryBound }) => recoveryBound).join('; '),
    fault: async (stage) => {
      const checks: Check[] = []
      for (const drill of drills) checks.push(...((await drill.fault(stage)) ?? []))
      return checks.filter((check, index) => checks.indexOf(check) === index)
    },
  }
}
