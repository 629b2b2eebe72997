/** A platform that is there for drills alone: of what takes events in, and with the fault proxy. */
import { rm } from 'node:fs/promises'
import { cpus } from 'node:os'
import { resolve } from 'node:path'
import { definePlatform } from '@millrace/core/platform'
import { javaEnvironment } from '@millrace/stack/environment'
import { openInstallation } from '@millrace/stack/installation'
import { projectDirectory } from '@millrace/stack/layout'
import { publishingParts } from '@millrace/stack/parts'
import { progress } from '@millrace/stack/progress'
import { gatewayUrl } from '@millrace/stack/servers/gateway'
import { createStack } from '@millrace/stack/stack'
import type { DrillOptions } from './run-drill.ts'

export type DrillPlatformOptions = {
  /** Its state folder, in the project's; what an earlier run left there is deleted. */
  readonly folder: string
  readonly portBase: number
  readonly note: (line: string) => void
  readonly signal: AbortSignal
}

/**
 * Starts it for as long as `use` takes.
 * @throws MillraceError 'stack.failed' when it does not start; the reason of `signal` when it is aborted
 */
export async function withDrillPlatform<T>(
  { folder, portBase, note, signal }: DrillPlatformOptions,
  use: (platform: Pick<DrillOptions, 'installation' | 'gatewayUrls' | 'note' | 'signal'>) => Promise<T>,
): Promise<T> {
  const stateDirectory = resolve(projectDirectory, folder)
  await rm(stateDirectory, { recursive: true, force: true })
  const installation = await openInstallation({
    ...{ stateDirectory, portBase },
    ...{ brokers: 3, gateways: 3, faults: true, java: javaEnvironment },
    platform: definePlatform({ events: [] }),
  })
  const stack = createStack(installation, portBase, publishingParts(installation), progress(note))
  try {
    await stack.start(signal)
    const gatewayUrls = installation.gatewayInstances.map((instance) => gatewayUrl(installation, instance))
    return await use({ installation, gatewayUrls, note, signal })
  } finally {
    await stack.stop()
  }
}

/** What results were found on. */
export function thisMachine() {
  return { cores: cpus().length, model: cpus()[0]?.model.trim() ?? 'unknown', node: process.version }
}
