/** Something that a service cannot do without: `check` resolves when it is well. */
export type Dependency = { readonly name: string; readonly check: () => Promise<unknown> }

export type DependencyHealth = {
  readonly name: string
  readonly state: 'up' | 'down'
  readonly latencyMs: number
  /** Why it is down. */
  readonly detail?: string
}

export type HealthReport = {
  readonly status: 'up' | 'down'
  readonly checkedAt: string
  readonly dependencies: readonly DependencyHealth[]
}

export type HealthOptions = {
  /** How long one report answers everybody who asks: probes must not become load. */
  readonly cacheMs: number
  /** How long one check may take before its dependency counts as down. */
  readonly timeoutMs: number
}

/** Checks dependencies side by side, each with a deadline; whoever asks while a check runs shares its answer. */
export function createHealth(
  dependencies: readonly Dependency[],
  { cacheMs, timeoutMs }: HealthOptions = { cacheMs: 1_000, timeoutMs: 2_000 },
): () => Promise<HealthReport> {
  let current: { readonly report: Promise<HealthReport>; readonly at: number } | undefined
  return () => {
    if (!current || performance.now() - current.at > cacheMs) {
      current = { report: checkAll(dependencies, timeoutMs), at: performance.now() }
    }
    return current.report
  }
}

async function checkAll(dependencies: readonly Dependency[], timeoutMs: number): Promise<HealthReport> {
  const results = await Promise.all(dependencies.map((dependency) => checkOne(dependency, timeoutMs)))
  return {
    status: results.every((result) => result.state === 'up') ? 'up' : 'down',
    checkedAt: new Date().toISOString(),
    dependencies: results,
  }
}

async function checkOne({ name, check }: Dependency, timeoutMs: number): Promise<DependencyHealth> {
  const startedAt = performance.now()
  const deadline = Promise.withResolvers<never>()
  const timer = setTimeout(() => deadline.reject(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs)
  const latencyMs = () => Math.round((performance.now() - startedAt) * 10) / 10
  try {
    await Promise.race([check(), deadline.promise])
    return { name, state: 'up', latencyMs: latencyMs() }
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error)
    return { name, state: 'down', latencyMs: latencyMs(), detail }
  } finally {
    clearTimeout(timer)
  }
}
