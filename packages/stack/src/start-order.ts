export type Step = { readonly name: string; readonly dependsOn: readonly string[]; run(): Promise<void> }

/**
 * Runs steps as soon as everything that they depend on is done, side by side where nothing stands between them.
 * When one fails no further step begins; those under way are awaited, then the first failure is thrown.
 * @throws RangeError when a step depends on one that does not exist, or on itself by a detour.
 */
export async function runInOrder(steps: readonly Step[]): Promise<void> {
  requireOrder(steps)
  const done = new Map<string, Promise<boolean>>()
  const failures: unknown[] = []
  for (const step of inDependencyOrder(steps)) {
    const run = async (): Promise<boolean> => {
      const before = await Promise.all(step.dependsOn.map((name) => done.get(name)))
      if (failures.length > 0 || !before.every(Boolean)) return false
      try {
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

/** The steps with every step after those that it depends on. */
export function inDependencyOrder<S extends { readonly name: string; readonly dependsOn: readonly string[] }>(
  steps: readonly S[],
): S[] {
  const byName = new Map(steps.map((step) => [step.name, step]))
  const ordered = new Set<S>()
  const visit = (step: S, above: readonly string[]) => {
    if (above.includes(step.name)) throw new RangeError(`"${step.name}" depends on itself: ${above.join(' → ')}`)
    for (const name of step.dependsOn) {
      const before = byName.get(name)
      if (before) visit(before, [...above, step.name])
    }
    ordered.add(step)
  }
  for (const step of steps) visit(step, [])
  return [...ordered]
}

function requireOrder(steps: readonly Step[]): void {
  const names = new Set(steps.map((step) => step.name))
  for (const step of steps) {
    const missing = step.dependsOn.find((name) => !names.has(name))
    if (missing) throw new RangeError(`"${step.name}" depends on "${missing}", which is not part of the stack`)
  }
}
