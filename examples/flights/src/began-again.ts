import { MillraceError } from '@millrace/core/errors'
import type { Pipeline } from '@millrace/core/pipeline'
import { jobs } from '@millrace/flink/job-manager'
import { statusOf } from '@millrace/flink/job-status'
import type { RunningStack } from '@millrace/stack/run-stack'

/**
 * Whether the jobs of some pipelines may have begun again from a checkpoint since the platform was started: where Flink died, or does not say that
 * each job is still the one that was submitted, and never restarted.
 */
export async function mayHaveBegunAgain(
  { installation, stack }: RunningStack,
  pipelines: readonly Pipeline[],
): Promise<boolean> {
  if (stack.services().some(({ name, restarts }) => name.startsWith('flink') && restarts > 0)) return true
  try {
    const url = `http://127.0.0.1:${installation.ports.flinkWeb}`
    const all = await jobs(url)
    for (const { name } of pipelines) {
      const [job, ...others] = all.filter((one) => one.name === name)
      if (job === undefined || others.length > 0 || (await statusOf(url, job)).restarts !== 0) return true
    }
    return false
  } catch (error) {
    if (!(error instanceof MillraceError)) throw error
    return true
  }
}
