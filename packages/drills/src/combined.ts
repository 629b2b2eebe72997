import { seededRandom } from '@millrace/core/random'
import type { Check } from '@millrace/ledger/check'
import { noRequestFails } from './drill-checks.ts'
import type { Drill } from './drill.ts'

/** Several drills under one load, one after the other: what has to hold in one of them has to hold in all. */
export function combined(drills: readonly Drill[]): Drill {
  return {
    name: drills.map(({ name }) => name).join('-'),
    says: drills.map(({ says }) => says).join('; then '),
    recoveryBound: drills.map(({ recoveryBound }) => recoveryBound).join('; '),
    requires: (installation) => drills.forEach(({ requires }) => requires?.(installation)),
    ...(drills.some(({ calmsDown }) => calmsDown) && { calmsDown: true }),
    fault: async (stage) => {
      const checks: Check[] = []
      for (const drill of drills) checks.push(...((await drill.fault(stage)) ?? []))
      stage.over()
      return checks.filter((check, index) => checks.indexOf(check) === index)
    },
  }
}

const howMany = 3

/** Some of these drills in an order that the seed decides. Requests that one of them lets through another may well break. */
export function combinationOf(drills: readonly Drill[]): Drill {
  return {
    name: 'combination',
    says: `${howMany} faults one after the other, left to chance (--seed)`,
    recoveryBound: 'what bounds the last of them',
    fault: async (stage) => {
      const random = seededRandom(stage.seed)
      const left = [...drills]
      const chosen = Array.from({ length: howMany }, () => left.splice(Math.floor(random() * left.length), 1)).flat()
      const checks = (await combined(chosen).fault(stage)) ?? []
      return checks.filter((check) => check !== noRequestFails)
    },
  }
}
