import { execFile } from 'node:child_process'
import { copyFile, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { brokerDisk, usedDisks } from '../broker-disks.ts'
import type { Installation } from '../installation.ts'
import { classPathOf } from '../jvm.ts'
import { distributions } from '../layout.ts'
import { log4jArgument } from '../logging.ts'
import { kafkaComponents, kafkaUuid, writeSecret } from '../secrets.ts'

const formatTimeoutMs = 120_000

/** Formats the disks before the first start: one JVM for the first, copies for the others. A format that was broken off begins anew. */
export async function formatDisks(installation: Installation, propertiesFile: (node: number) => string): Promise<void> {
  const { layout, brokerNodes } = installation
  if ((await usedDisks(layout)).length > 0) return
  for (const node of brokerNodes) await rm(brokerDisk(layout, node), { recursive: true, force: true })
  const [first, ...others] = brokerNodes
  if (first === undefined) return
  await formatFirst(installation, propertiesFile(first))
  for (const node of others) await copyFormat(brokerDisk(layout, first), brokerDisk(layout, node), node)
}

async function formatFirst(installation: Installation, settingsFile: string): Promise<void> {
  const { java, layout, secrets } = installation
  const users = [...kafkaComponents, ...installation.readers]
  // Everything goes through an argument file, so that no password can be read off the list of processes.
  const argumentFile = join(layout.secrets, 'format.args')
  const words = [
    '-cp',
    classPathOf(distributions.kafka),
    log4jArgument(layout),
    'kafka.tools.StorageTool',
    'format',
    '--cluster-id',
    secrets.clusterId,
    '--config',
    settingsFile,
    ...users.flatMap((user) => ['--add-scram', `SCRAM-SHA-512=[name=${user},password=${secrets.kafkaPassword(user)}]`]),
  ]
  await writeSecret(argumentFile, words.map((word) => `"${word}"`).join('\n'))
  try {
    const jvm = ['-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', `-Djava.io.tmpdir=${layout.temporary}`]
    await promisify(execFile)(java.command, [...jvm, `@${argumentFile}`], { timeout: formatTimeoutMs })
  } finally {
    await rm(argumentFile, { force: true })
  }
}

async function copyFormat(from: string, to: string, node: number): Promise<void> {
  await mkdir(to, { recursive: true })
  await copyFile(join(from, 'bootstrap.checkpoint'), join(to, 'bootstrap.checkpoint'))
  const meta = await readFile(join(from, 'meta.properties'), 'utf8')
  const own = meta
    .replace(/^node\.id=.*$/m, `node.id=${node}`)
    .replace(/^directory\.id=.*$/m, `directory.id=${kafkaUuid()}`)
  await writeFile(join(to, 'meta.properties'), own)
}
