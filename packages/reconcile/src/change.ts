/** One difference between what should be and what is, and what closes it. */
export type Change = {
  readonly resource: 'topic' | 'acl' | 'user' | 'schema' | 'event-type' | 'table' | 'connector' | 'job'
  readonly name: string
  readonly action: 'create' | 'update' | 'delete'
  /** What differs, for a person. */
  readonly detail: string
  readonly apply: () => Promise<void>
}

type Report = (change: Change) => void

/** A job that starts is planned, which takes processors, and then waits for its tasks, which takes none. */
const jobsAtOnce = 4

/**
 * Makes the changes in the order of the plan, one after the other, but jobs side by side, since none needs another: one that fails keeps no
 * other job from running. `report` is told before each.
 */
export async function applyChanges(changes: readonly Change[], report: Report): Promise<void> {
  for (const step of stepsOf(changes)) await applyStep(step, report)
}

/** Jobs that stand together are one step; what is no job is one by itself. */
function stepsOf(changes: readonly Change[]): Change[][] {
  const steps: Change[][] = []
  for (const change of changes) {
    const last = change.resource === 'job' ? steps.at(-1) : undefined
    if (last?.[0]?.resource === 'job') last.push(change)
    else steps.push([change])
  }
  return steps
}

/** @throws the first error, when all that could be done is done. */
async function applyStep(step: readonly Change[], report: Report): Promise<void> {
  const failures: unknown[] = []
  const left = step.values()
  const inTurn = async () => {
    for (const change of left) {
      report(change)
      await change.apply().catch((error: unknown) => failures.push(error))
    }
  }
  await Promise.all(Array.from({ length: Math.min(step.length, jobsAtOnce) }, inTurn))
  if (failures.length > 0) throw failures[0]
}
