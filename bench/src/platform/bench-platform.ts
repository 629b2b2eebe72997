/** The whole platform at growing rates and then for minutes, with the ledger on, in turns with the Kafka client alone. */
import { rm } from 'node:fs/promises'
import { resolve } from 'node:path'
import { MillraceError } from '@millrace/core/errors'
import { javaEnvironment } from '@millrace/stack/environment'
import { projectDirectory } from '@millrace/stack/layout'
import { runStack } from '@millrace/stack/run-stack'
import { machineSince, oneMinuteLoad } from '../machine.ts'
import type { PlatformOptions } from '../options.ts'
import { openControl } from './control.ts'
import { judge } from './judgement.ts'
import { measure, type Measurement } from './measure.ts'
import { measuredPlatform } from './platform.ts'
import { reportOf } from './report.ts'
import { runAll } from './run-all.ts'
import { writeReport } from './write-report.ts'

type Say = (line: string) => void

const stateDirectory = resolve(projectDirectory, '.millrace-bench/platform')
const resultsDirectory = resolve(projectDirectory, 'bench/results')

/**
 * Runs everything and returns the page; what is known by then is written after every run.
 * @throws MillraceError 'stack.failed' when the platform does not start, or after a signal; and as `runFlights` does
 */
export async function benchPlatform(options: PlatformOptions, say: Say): Promise<string> {
  const load = oneMinuteLoad()
  await rm(stateDirectory, { recursive: true, force: true })
  const measurements: Measurement[] = []
  let page = ''
  const onMeasured = async (measured: Measurement): Promise<void> => {
    measurements.push(measured)
    say(lineOf(measured))
    page = await writeReport(reportOf(measurements, options.rate, machineSince(load)), resultsDirectory)
  }
  const done = await runStack(
    {
      ...{ stateDirectory, portBase: options.portBase, brokers: 3, java: javaEnvironment },
      platform: measuredPlatform,
    },
    async (running) => {
      const control = await openControl(running.installation)
      try {
        await runAll(options, async (asked) => {
          say(`  ${asked.phase}: ${asked.eventsPerSecond} events/s for ${asked.seconds} s`)
          const measured = await measure({ running, control, say }, asked)
          await onMeasured(measured)
          return measured
        })
        return true
      } finally {
        await control.close()
      }
    },
    say,
  )
  if (!done) throw new MillraceError('stack.failed', 'interrupted')
  await rm(stateDirectory, { recursive: true, force: true }) // gigabytes of what was measured
  return page
}

function lineOf(measured: Measurement): string {
  const { rate, latencies, lag, verdict } = measured
  const { keepsUp, holds } = judge(measured)
  const p95 = Object.entries(latencies).map(([name, { p95Ms }]) => `${name} ${p95Ms?.toFixed(0) ?? '–'} ms`)
  const how = holds ? 'holds' : keepsUp ? 'keeps up, too slowly' : 'does not keep up'
  return `  ${rate.asked} events/s: ${rate.achieved.toFixed(0)} acknowledged, p95 ${p95.join(', ')}, lag at most ${lag.atMost ?? '–'}, ${verdict.lost} lost: ${how}`
}
