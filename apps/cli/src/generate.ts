import { writeFile } from 'node:fs/promises'
import { generateClient } from '@millrace/client/generate'
import { readCatalog } from '@millrace/kafka/catalog'
import { runningInstallation } from './running.ts'
import type { RunningOptions } from './settings.ts'

export type GenerateOptions = RunningOptions & { readonly out: string }

/** `millrace generate client`: writes the client and says what is in it. */
export async function generateClientFile(options: GenerateOptions): Promise<string> {
  const { installation } = await runningInstallation(options)
  const catalog = await readCatalog(await installation.kafkaConnection('admin'))
  await writeFile(options.out, await generateClient([...catalog.values()]))
  return `${options.out}: ${[...catalog.keys()].toSorted().join(', ')}`
}
