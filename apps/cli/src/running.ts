import { MillraceError } from '@millrace/core/errors'
import type { Platform } from '@millrace/core/platform'
import { javaEnvironment } from '@millrace/stack/environment'
import { type Installation, openInstallation } from '@millrace/stack/installation'
import { layoutOf } from '@millrace/stack/layout'
import { readRecord, type ServiceRecord } from '@millrace/stack/run-folder'
import { loadDefinition } from '@millrace/service/definition'
import { faultProxyName } from '@millrace/stack/servers/fault-proxy'
import type { RunningOptions } from './settings.ts'

/**
 * The installation that is running in a state folder.
 * @throws MillraceError `stack.failed` when nothing runs there.
 */
export async function runningInstallation(
  options: RunningOptions,
): Promise<{ installation: Installation; platform: Platform; services: readonly ServiceRecord[] }> {
  const record = await readRecord(layoutOf(options.state))
  if (!record) throw new MillraceError('stack.failed', 'nothing runs here: start it with "npx millrace up"')
  const platform = await loadDefinition(options.platform)
  const taskManagers = record.services.filter((service) => /^flink-taskmanager-\d+$/.test(service.name)).length
  const brokers = record.services.filter((service) => /^kafka-\d+$/.test(service.name)).length === 1 ? 1 : 3
  const installation = await openInstallation({
    stateDirectory: options.state,
    portBase: record.portBase,
    brokers,
    ...(taskManagers > 0 && { flink: 'cluster', taskManagers }),
    faults: record.services.some((service) => service.name === faultProxyName),
    platform,
    java: javaEnvironment,
  })
  return { installation, platform, services: record.services }
}
