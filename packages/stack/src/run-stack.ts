import { openConnect } from '@millrace/connect/connect-client'
import { MillraceError } from '@millrace/core/errors'
import { type ConnectorRepair, repairConnectors } from './connector-repair.ts'
import type { Installation, InstallationOptions } from './installation.ts'
import { openStack } from './open-stack.ts'
import { type ProcessUsage, usageOfAll } from './process-usage.ts'
import { progress } from './progress.ts'
import { connectUrl } from './servers/connect.ts'
import type { Stack } from './stack.ts'

/** What the start cost, up to "ready". */
export type StartCost = ProcessUsage & { readonly seconds: number }

export type RunningStack = {
  readonly installation: Installation
  readonly stack: Stack
  readonly started: StartCost
  readonly signal: AbortSignal
}

const repairTimeoutMs = 10_000

type Write = (line: string) => void

const toStandardError: Write = (line) => process.stderr.write(`${line}\n`)

/**
 * Starts the platform, does `work` with it and stops it again: when the work is done, fails, or a signal comes (`signal` is aborted then).
 * Progress and what goes wrong are told line by line.
 * @returns what the work returned; `undefined` when a signal came before it began
 * @throws MillraceError with the first failure of the start, or what the work threw
 */
export async function runStack<T>(
  options: InstallationOptions,
  work: (running: RunningStack) => Promise<T>,
  write: Write = toStandardError,
): Promise<T | undefined> {
  const since = performance.now()
  const stopping = new AbortController()
  const onSignal = () => stopping.abort(new MillraceError('stack.failed', 'interrupted'))
  // SIGHUP: the terminal was closed.
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, onSignal)
  // The terminal may be closed, or the pipe read no further: what cannot be told must not end the runner, for its servers would stay.
  for (const output of [process.stdout, process.stderr]) output.on('error', () => undefined)
  const { installation, stack } = await openStack(options, progress(write))
  let repair: ConnectorRepair | undefined
  try {
    await stack.start(stopping.signal)
    const started = await costOf(stack, since)
    write(readyLine(started))
    repair = repairConnectors(
      openConnect({ url: connectUrl(installation), timeoutMs: repairTimeoutMs }),
      options.platform.sinks.map(({ name }) => name),
      (sentence) => write(`  ! ${sentence}`),
    )
    return await work({ installation, stack, started, signal: stopping.signal })
  } catch (error) {
    if (stopping.signal.aborted) return undefined
    throw error
  } finally {
    const stoppingSince = performance.now()
    write('stopping …')
    await repair?.stop()
    await stack.stop()
    write(`everything is stopped (${((performance.now() - stoppingSince) / 1_000).toFixed(1)} s)`)
  }
}

async function costOf(stack: Stack, since: number): Promise<StartCost> {
  const seconds = (performance.now() - since) / 1_000
  const pids = stack.services().flatMap(({ pid }) => pid ?? [])
  return { seconds, ...(await usageOfAll([process.pid, ...pids])) }
}

function readyLine({ seconds, cpuSeconds, memoryBytes }: StartCost): string {
  const cost =
    cpuSeconds === 0 ? '' : ` (${cpuSeconds.toFixed(0)} CPU-seconds, ${(memoryBytes / 1e6).toFixed(0)} MB in all)`
  return `ready in ${seconds.toFixed(1)} s${cost}`
}
