import { spawn } from 'node:child_process'
import { mkdir, open } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { MillraceError } from '@millrace/core/errors'
import { javaEnvironment } from '@millrace/stack/environment'
import type { FlinkForm } from '@millrace/stack/flink-checkpoints'
import { layoutOf } from '@millrace/stack/layout'
import { readRecord } from '@millrace/stack/run-folder'
import { runStack } from '@millrace/stack/run-stack'
import { loadDefinition } from '@millrace/service/definition'
import type { RunningOptions } from './settings.ts'

export type UpOptions = RunningOptions & {
  readonly portBase: number
  readonly brokers: 1 | 3
  readonly gateways: number
  readonly workers: number
  readonly flink: FlinkForm
  readonly taskManagers?: number
  readonly faults?: boolean
}

const detachTimeoutMs = 600_000
const pollMs = 200

/** `millrace up`: in the foreground until Ctrl-C. */
export async function up({ state, platform, ...counts }: UpOptions): Promise<void> {
  const definition = await loadDefinition(platform)
  const options = {
    stateDirectory: state,
    ...counts,
    platform: definition,
    platformFile: platform,
    java: javaEnvironment,
  }
  await runStack(options, async ({ signal }) => {
    process.stderr.write('Ctrl-C stops it\n')
    if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }))
  })
}

/** `millrace up --detach`: starts the same in the background and returns when it is ready. */
export async function upDetached(options: UpOptions, argv: readonly string[]): Promise<void> {
  const layout = layoutOf(options.state)
  await mkdir(layout.logs, { recursive: true, mode: 0o700 })
  const logFile = join(layout.logs, 'stack.log')
  const log = await open(logFile, 'w', 0o600)
  const words = argv.filter((word) => word !== '--detach')
  const child = spawn(process.execPath, words, { detached: true, stdio: ['ignore', log.fd, log.fd] })
  child.unref()
  await log.close()
  const deadline = performance.now() + detachTimeoutMs
  while (performance.now() < deadline && child.exitCode === null && child.signalCode === null) {
    const record = await readRecord(layout)
    if (record?.runner.pid === child.pid && record?.ready) return
    await sleep(pollMs)
  }
  throw new MillraceError('stack.failed', `the stack did not come up: see ${logFile}`)
}
