import { cpus, loadavg } from 'node:os'

/** What a run was made on. */
export type Machine = {
  readonly cores: number
  readonly model: string
  readonly node: string
  /** Of the last minute, before the run and at its end. */
  readonly loadAverage: { readonly start: number; readonly end: number }
}

export function oneMinuteLoad(): number {
  return loadavg()[0] ?? NaN
}

/** @param start the load average before the run */
export function machineSince(start: number): Machine {
  const model = cpus()[0]?.model.trim() ?? 'unknown'
  return { cores: cpus().length, model, node: process.version, loadAverage: { start, end: oneMinuteLoad() } }
}
