import { writeFile } from 'node:fs/promises'
import { generateClient } from '@millrace/client/generate'
import { readCatalog } from '@millrace/kafka/catalog'
import { runningInstallation } from './running.ts'
import type { RunningOptions } from './settings.ts'

export type GenerateOptions = RunningOptions & { readonly out?: string }

/** `millrace generate client`: writes the client to a file and says what is in it, or returns the client itself. */
export async function generateClientFile(options: GenerateOptions): Promise<string> {
  const { installation } = await runningInstallation(options)
  const catalog = await readCatalog(await installation.kafkaConnection('admin'))
  const client = await generateClient([...catalog.values()])
  if (options.out === undefined) return client.trimEnd()
  await writeFile(options.out, client)
  return `${options.out}: ${[...catalog.keys()].toSorted().join(', ')}`
}
