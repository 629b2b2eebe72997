/** A step of a start, and the steps that must be done before it. */
export type Step = { readonly name: string; readonly dependsOn: readonly string[]; run(): Promise<void> }

type Ordered = Pick<Step, 'name' | 'dependsOn'>

/**
 * Runs steps as soon as everything that they depend on is done, side by side where nothing stands between them.
 * When one fails, or `signal` is aborted, no further step begins; those under way are awaited, then the first failure is thrown.
 * @throws RangeError when a step depends on one that does not exist, or on itself by a detour.
 */
export async function runInOrder(steps: readonly Step[], signal: AbortSignal): Promise<void> {
  const done = new Map<string, Promise<boolean>>()
  const failures: unknown[] = []
  for (const step of inDependencyOrder(steps)) {
    const run = async (): Promise<boolean> => {
      const before = await Promise.all(step.dependsOn.map((name) => done.get(name) ?? Promise.resolve(false)))
      if (failures.length > 0 || !before.every(Boolean)) return false
      try {
        signal.throwIfAborted()
        await step.run()
        return true
      } catch (error) {
        failures.push(error)
        return false
      }
    }
    done.set(step.name, run())
  }
  await Promise.all(done.values())
  if (failures.length > 0) throw failures[0]
}

/**
 * The steps with every step after those that it depends on.
 * @throws RangeError when a step depends on one that does not exist, or on itself by a detour.
 */
export function inDependencyOrder<S extends Ordered>(steps: readonly S[]): S[] {
  const byName = new Map(steps.map((step) => [step.name, step]))
  const ordered = new Set<S>()
  const visit = (step: S, above: readonly string[]) => {
    if (above.includes(step.name)) {
      throw new RangeError(`"${step.name}" depends on itself: ${[...above, step.name].join(' → ')}`)
    }
    for (const name of step.dependsOn) {
      const before = byName.get(name)
      if (!before) throw new RangeError(`"${step.name}" depends on "${name}", which is not there`)
      if (!ordered.has(before)) visit(before, [...above, step.name])
    }
    ordered.add(step)
  }
  for (const step of steps) if (!ordered.has(step)) visit(step, [])
  return [...ordered]
}
