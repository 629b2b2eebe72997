import { resolve } from 'node:path'
import { Option, type Command } from 'commander'
import { MillraceError } from '@millrace/core/errors'
import type { Platform } from '@millrace/core/platform'
import { type Installation, openInstallation } from '@millrace/stack/installation'
import { javaEnvironment } from '@millrace/stack/environment'
import { layoutOf, projectDirectory } from '@millrace/stack/layout'
import { portBaseDefault } from '@millrace/stack/ports'
import { readRecord } from '@millrace/stack/run-folder'
import { loadDefinition } from './definition.ts'

/** What every command that touches an installation takes. */
export type CommonOptions = {
  readonly state: string
  readonly portBase: number
  readonly platform: string
}

const stateDefault = resolve(projectDirectory, '.millrace')
const platformDefault = resolve(projectDirectory, 'examples/flights/src/platform.ts')

export function withCommonOptions(command: Command): Command {
  return command
    .addOption(
      new Option('--state <folder>', 'where secrets, data and logs are kept').default(stateDefault, '.millrace'),
    )
    .addOption(
      new Option('--port-base <port>', 'the first of the 100 ports that are used')
        .default(portBaseDefault)
        .argParser(Number),
    )
    .addOption(
      new Option('--platform <file>', 'the module that exports the definition').default(
        platformDefault,
        'examples/flights/src/platform.ts',
      ),
    )
}

/**
 * The installation that is running in a state folder.
 * @throws MillraceError `stack.failed` when nothing runs there.
 */
export async function runningInstallation(
  options: CommonOptions,
): Promise<{ installation: Installation; platform: Platform }> {
  const record = await readRecord(layoutOf(options.state))
  if (!record) throw new MillraceError('stack.failed', 'nothing runs here: start it with "npx millrace up"')
  const platform = await loadDefinition(options.platform)
  const brokers = record.services.filter((service) => /^kafka-\d+$/.test(service.name)).length === 1 ? 1 : 3
  const installation = await openInstallation({
    stateDirectory: options.state,
    portBase: record.portBase,
    brokers,
    platform,
    java: javaEnvironment,
  })
  return { installation, platform }
}
