import { join } from 'node:path'
import type { Layout } from './layout.ts'
import type { Command } from './server.ts'
import { writeSecret } from './secrets.ts'

const readyTimeoutMs = 60_000
const stopTimeoutMs = 20_000

/** How one of our own programs runs: the Node that runs us, the TypeScript as it is, settings in a file of its own. */
export function nodeProgram(layout: Layout, name: string, entry: string, settings: () => unknown) {
  const settingsFile = join(layout.configuration, `${name}.json`)
  const command: Command = { file: process.execPath, arguments: [entry, '--config', settingsFile] }
  return {
    command,
    prepare: () => writeSecret(settingsFile, JSON.stringify(settings(), undefined, 2)),
    readyTimeoutMs,
    stopTimeoutMs,
  }
}
