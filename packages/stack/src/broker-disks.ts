/**
 * The brokers' disks. They belong to one number of brokers and one set of secrets for good: the cluster's id, its users, the quorum's
 * voters and where the copies of each partition lie are written on them.
 */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { MillraceError } from '@millrace/core/errors'
import { brokerName } from './broker-name.ts'
import type { Layout } from './layout.ts'

export function brokerDisk(layout: Layout, node: number): string {
  return join(layout.data, brokerName(node))
}

/**
 * Makes sure that the disks of an earlier start are those of these brokers.
 * @throws MillraceError `config.invalid` with the way out, when they were made for another number of brokers.
 */
export async function requireSameBrokers(layout: Layout, brokerNodes: readonly number[]): Promise<void> {
  const used = await usedDisks(layout)
  if (used.length === 0 || used.length === brokerNodes.length) return
  throw new MillraceError(
    'config.invalid',
    `${layout.state} holds the data of ${used.length} broker${used.length === 1 ? '' : 's'}, which ${brokerNodes.length} cannot take over: start it with --brokers ${used.length}, choose another folder with --state, or delete the data with "npx millrace down --wipe"`,
  )
}

/**
 * Makes sure that the disks of an earlier start know the secrets that there are now.
 * @throws MillraceError `stack.failed` with the way out, when the folder of secrets was lost or exchanged.
 */
export async function requireSameCluster(layout: Layout, clusterId: string): Promise<void> {
  for (const disk of await usedDisks(layout)) {
    const meta = await readFile(join(disk, 'meta.properties'), 'utf8').catch(() => '')
    if (meta.split(/\r?\n/).includes(`cluster.id=${clusterId}`)) continue
    throw new MillraceError(
      'stack.failed',
      `${disk} was made with other secrets than those in ${layout.secrets}: put its secrets back, or delete the data with "npx millrace down --wipe"`,
    )
  }
}

/** The disks of a cluster that has run: all of them were formatted before the first of its brokers began. */
export async function usedDisks(layout: Layout): Promise<string[]> {
  const names: string[] = await readdir(layout.data).catch(() => [])
  const disks = names.filter((name) => /^kafka-\d+$/.test(name)).map((name) => join(layout.data, name))
  const holding = async (name: string) => {
    const holds = await Promise.all(disks.map(async (disk) => (await readdir(disk)).includes(name)))
    return disks.filter((_, index) => holds[index])
  }
  return (await holding('__cluster_metadata-0')).length === 0 ? [] : holding('meta.properties')
}
