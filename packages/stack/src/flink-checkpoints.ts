/**
 * The checkpoints of Flink's jobs. They belong to one form of Flink for good: what a MiniCluster has kept of its heap cannot be read into
 * RocksDB, nor the other way round, and a job that began without it would publish its results again.
 */
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { MillraceError } from '@millrace/core/errors'
import type { Layout } from './layout.ts'

/** In one JVM, a MiniCluster with the SQL Gateway; or as a cluster whose parts are processes of their own. */
export type FlinkForm = 'embedded' | 'cluster'

const folders: Readonly<Record<FlinkForm, string>> = { embedded: 'checkpoints', cluster: 'cluster-checkpoints' }

export function checkpointDirectory(layout: Layout, form: FlinkForm): string {
  return join(layout.data, 'flink', folders[form])
}

/**
 * Makes sure that the jobs of an earlier start are those of this form.
 * @throws MillraceError `config.invalid` with the way out, when they ran in the other one.
 */
export async function requireSameFlink(layout: Layout, form: FlinkForm): Promise<void> {
  const other = form === 'cluster' ? 'embedded' : 'cluster'
  const kept = await readdir(checkpointDirectory(layout, other)).catch(() => [])
  if (kept.length === 0) return
  throw new MillraceError(
    'config.invalid',
    `${layout.state} holds the checkpoints of jobs that ran with --flink ${other}, which --flink ${form} cannot take over: start it with --flink ${other}, choose another folder with --state, or delete the data with "npx millrace down --wipe"`,
  )
}
