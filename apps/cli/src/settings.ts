import { resolve } from 'node:path'
import { Option, type Command } from 'commander'
import { projectDirectory } from '@millrace/stack/layout'
import { portBaseDefault } from '@millrace/stack/ports'
import { portBase } from './arguments.ts'

/** What every command that touches an installation takes. */
export type StateOption = { readonly state: string }
/** What every command takes that works on a running platform by its definition. */
export type RunningOptions = StateOption & { readonly platform: string }

const stateDefault = resolve(projectDirectory, '.millrace')
const platformDefault = resolve(projectDirectory, 'examples/flights/src/platform.ts')

export function withState(command: Command): Command {
  return command.addOption(
    new Option('--state <folder>', 'where secrets, data and logs are kept').default(stateDefault, '.millrace'),
  )
}

export function withDefinition(command: Command): Command {
  return withState(command).addOption(
    new Option('--platform <file>', 'the module that exports the definition').default(
      platformDefault,
      'examples/flights/src/platform.ts',
    ),
  )
}

export function portBaseOption(): Option {
  return new Option('--port-base <port>', 'the first of the 100 ports that are used')
    .default(portBaseDefault)
    .argParser(portBase)
}
