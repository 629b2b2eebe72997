import { MillraceError } from '@millrace/core/errors'
import { drillOf, drills } from '@millrace/drills/drills'
import { requireRate } from '@millrace/drills/keyed-load'
import type { DrillReport } from '@millrace/drills/report'
import { runDrill } from '@millrace/drills/run-drill'
import { runningInstallation } from './running.ts'
import type { RunningOptions } from './settings.ts'

export type DrillCommandOptions = RunningOptions & { readonly rate: number; readonly seed?: number }

/**
 * `millrace drill <name>`: a fault on the running stack, under load, and whether anything was lost.
 * @throws MillraceError 'config.invalid' for a drill that there is not, 'stack.failed' when nothing runs
 */
export async function drill(name: string, options: DrillCommandOptions): Promise<DrillReport> {
  const chosen = drillOf(name)
  if (!chosen) throw new MillraceError('config.invalid', `there is no drill "${name}": see "millrace drill list"`)
  requireRate(options.rate)
  const { installation, services } = await runningInstallation(options)
  const end = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () =>
      end.abort(new MillraceError('stack.failed', 'the drill was broken off: there is no verdict')),
    )
  }
  return runDrill(chosen, {
    installation,
    gatewayUrls: services.filter((service) => /^gateway(-\d+)?$/.test(service.name)).map(({ address }) => address),
    eventsPerSecond: options.rate,
    seed: options.seed,
    note: (line) => process.stderr.write(`${line}\n`),
    signal: end.signal,
  })
}

export function drillList(): string {
  return drills.map(({ name, says }) => `${name.padEnd(20)} ${says}`).join('\n')
}

/** What a person reads of a drill. */
export function drillSummary(report: DrillReport): string {
  const { p95Ms, recoverySeconds } = report
  const ms = (value: number | null) => (value === null ? '–' : `${Math.round(value)} ms`)
  const failed = report.checks.filter(({ ok }) => !ok)
  return [
    `${report.drill}: ${report.ok ? 'nothing was lost' : 'FAILED'}`,
    `  ${report.acknowledged} events acknowledged at ${report.eventsPerSecond}/s, ${report.unconfirmed} left unconfirmed, ${report.refused} refused, ${report.copies} copies`,
    `  p95 ${ms(p95Ms.calm)} before, ${ms(p95Ms.fault)} in the ${Math.round(report.faultSeconds)} s of the fault, ${ms(p95Ms.after)} after`,
    recoverySeconds === null ? '  not calm again in the end' : `  calm again ${recoverySeconds} s after it was over`,
    ...failed.map(({ name, says, differing }) => `  ✗ ${name}: ${says} (${differing} differ)`),
  ].join('\n')
}
