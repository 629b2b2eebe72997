import { applyChanges, type Change } from '@millrace/reconcile/change'
import { planDefinition } from '@millrace/reconcile/plan-definition'
import { openWorld } from '@millrace/stack/world'
import { runningInstallation } from './running.ts'
import type { RunningOptions } from './settings.ts'

/** `millrace plan` and `millrace apply`: what differs between the definition and what runs; made so when `apply` is set. */
export async function plan(options: RunningOptions, apply: boolean): Promise<readonly Change[]> {
  const { installation, platform } = await runningInstallation(options)
  const { world, close } = await openWorld(installation)
  try {
    const changes = await planDefinition(platform, world)
    if (apply) await applyChanges(changes, () => undefined)
    return changes
  } finally {
    await close()
  }
}

export function planTable(changes: readonly Change[], applied: boolean): string {
  if (changes.length === 0) return 'nothing differs: what runs is what the definition says'
  const sign = { create: '+', update: '~', delete: '-' } as const
  const rows = changes.map(
    ({ action, resource, name, detail }) => `  ${sign[action]} ${resource.padEnd(10)} ${name}  (${detail})`,
  )
  return [applied ? 'applied:' : 'would change, with "npx millrace apply":', ...rows].join('\n')
}
