import { MillraceError } from '@millrace/core/errors'

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
 * Makes the changes in the order of the plan, one after the other, but jobs side by side, since none needs another. A job that does not start
 * keeps nothing else from being made, and is told of in the end. `report` is told before each.
 */
export async function applyChanges(changes: readonly Change[], report: Report): Promise<void> {
  const failures: unknown[] = []
  for (const step of stepsOf(changes)) failures.push(...(await applyStep(step, report)))
  if (failures.length > 0) throw together(failures)
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

/** @returns how jobs failed */
async function applyStep(step: readonly Change[], report: Report): Promise<unknown[]> {
  const failures: unknown[] = []
  const left = step.values()
  const inTurn = async () => {
    for (const change of left) {
      report(change)
      await change.apply().catch((error: unknown) => {
        if (change.resource !== 'job') throw error
        failures.push(error)
      })
    }
  }
  await Promise.all(Array.from({ length: Math.min(step.length, jobsAtOnce) }, inTurn))
  return failures
}

/** All of them in one error; it can be retried where one of them can, and is a bug where one of them is. */
function together(failures: readonly unknown[]): unknown {
  const known = failures.filter((failure) => failure instanceof MillraceError)
  const [first] = known.toSorted((a, b) => Number(b.retryable) - Number(a.retryable))
  if (first === undefined || known.length < failures.length) {
    return failures.find((failure) => !(failure instanceof MillraceError))
  }
  return new MillraceError(first.code, known.map(({ message }) => message).join('\n'), { cause: first })
}
