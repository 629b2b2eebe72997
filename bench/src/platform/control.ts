/** The process of the control, as who compares sees it. */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { MillraceError } from '@millrace/core/errors'
import type { Installation } from '@millrace/stack/installation'
import { writeSecret } from '@millrace/stack/secrets'
import { registryUrl } from '@millrace/stack/servers/registry'
import { loadResult, type LoadResult } from '../ingest/load.ts'
import { kafkaSettingsFor } from '../kafka-settings.ts'
import type { ControlSettings, Order } from './control-order.ts'

export type Control = {
  /**
   * Puts a short load on the brokers and measures it.
   * @throws MillraceError 'stack.failed' when the process has ended, does not answer, or had nothing acknowledged
   */
  readonly put: (eventsPerSecond: number) => Promise<LoadResult>
  /** Ends the process. */
  readonly close: () => Promise<void>
}

const program = fileURLToPath(new URL('direct-main.ts', import.meta.url))
/** The control may do what the gateway may. */
const kafkaUser = 'gateway'
const settleSeconds = 1
const measureSeconds = 5
const answerDeadlineMs = 60_000
const closeDeadlineMs = 15_000

export async function openControl(installation: Installation): Promise<Control> {
  const { layout } = installation
  const settings: ControlSettings = {
    schemaUrl: `${registryUrl(installation)}/schemas/ids/1`,
    kafka: kafkaSettingsFor(installation, 'bench-direct', kafkaUser),
  }
  const settingsFile = join(layout.configuration, 'control.json')
  await writeSecret(settingsFile, JSON.stringify(settings))
  return startControl(settingsFile, join(layout.logs, 'control.stderr'))
}

/** @param errorsFile what the process writes to standard error */
function startControl(settingsFile: string, errorsFile: string): Control {
  const errors = openSync(errorsFile, 'w', 0o600)
  const child = fork(program, ['--config', settingsFile], { stdio: ['ignore', 'ignore', errors, 'ipc'] })
  closeSync(errors)
  const ended = new AbortController()
  for (const event of ['exit', 'error'] as const) child.once(event, () => ended.abort())
  const tell = async (order: Order): Promise<LoadResult> => {
    const signal = AbortSignal.any([ended.signal, AbortSignal.timeout(answerDeadlineMs)])
    try {
      const answered = once(child, 'message', { signal })
      child.send(order)
      const answer: unknown = (await answered)[0]
      return loadResult.parse(answer)
    } catch (cause) {
      throw new MillraceError(
        'stack.failed',
        `the control does not answer, or nothing that it sent was acknowledged: see ${errorsFile}`,
        { cause },
      )
    }
  }
  return {
    put: async (eventsPerSecond) => {
      await tell({ eventsPerSecond, seconds: settleSeconds })
      return tell({ eventsPerSecond, seconds: measureSeconds })
    },
    close: async () => {
      if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return
      const exited = once(child, 'exit')
      const timer = setTimeout(() => void child.kill('SIGKILL'), closeDeadlineMs)
      if (child.connected) child.disconnect()
      await exited.finally(() => clearTimeout(timer))
    },
  }
}
