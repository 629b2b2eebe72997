import { MillraceError } from '@millrace/core/errors'
import { drills } from '@millrace/drills/drills'
import { type DrillReport, runDrill } from '@millrace/drills/run-drill'
import { layoutOf } from '@millrace/stack/layout'
import { readRecord } from '@millrace/stack/run-folder'
import { runningInstallation } from './running.ts'
import type { RunningOptions } from './settings.ts'

export type DrillCommandOptions = RunningOptions & { readonly rate: number }

/**
 * `millrace drill <name>`: a fault on the running stack, under load, and whether anything was lost.
 * @throws MillraceError 'config.invalid' for a drill that there is not, 'stack.failed' when nothing runs
 */
export async function drill(name: string, options: DrillCommandOptions): Promise<DrillReport> {
  const chosen = drills.find((one) => one.name === name)
  if (!chosen) throw new MillraceError('config.invalid', `there is no drill "${name}": see "millrace drill list"`)
  const { installation } = await runningInstallation(options)
  const services = (await readRecord(layoutOf(options.state)))?.services ?? []
  return runDrill(chosen, {
    installation,
    gatewayUrls: services.filter((service) => /^gateway(-\d+)?$/.test(service.name)).map(({ address }) => address),
    eventsPerSecond: options.rate,
    note: (line) => process.stderr.write(`${line}\n`),
  })
}

export function drillList(): string {
  return drills.map(({ name, says }) => `${name.padEnd(16)} ${says}`).join('\n')
}

/** What a person reads of a drill. */
export function drillSummary(report: DrillReport): string {
  const { p95Ms, recoverySeconds } = report
  const ms = (value: number | null) => (value === null ? '–' : `${Math.round(value)} ms`)
  const failed = report.checks.filter(({ ok }) => !ok)
  return [
    `${report.drill}: ${report.ok ? 'nothing was lost' : 'FAILED'}`,
    `  ${report.acknowledged} events acknowledged at ${report.eventsPerSecond}/s, ${report.unconfirmed} left unconfirmed, ${report.copies} copies`,
    `  p95 ${ms(p95Ms.calm)} before, ${ms(p95Ms.fault)} during, ${ms(p95Ms.after)} after; calm again ${recoverySeconds === null ? 'not yet' : `${recoverySeconds} s`} after it was over (${Math.round(report.faultSeconds)} s)`,
    ...failed.map(({ name, says, differing }) => `  ✗ ${name}: ${says} (${differing} differ)`),
  ].join('\n')
}
