import { readFileSync, renameSync, writeFileSync } from 'node:fs'

import { isJsonObject } from '@millrace/core/json'

import type { ReportPosition } from './flight.ts'

/**
 * How far each lane has come: the last flight before which everything in its lane is acknowledged. Written after the
 * ledger, so a crash in between makes a second run send one batch a lane again, with the same ids.
 */
export type Positions = {
  readonly current: readonly (ReportPosition | undefined)[]
  advance(lane: number, position: ReportPosition): void
}

/** Reads the positions of an earlier run. A missing file, or one for another number of lanes, starts at the beginning. */
export function openPositions(file: string, lanes: number): Positions {
  const stored = readPositions(file)
  // With another number of lanes, other flights are in each.
  const current: (ReportPosition | undefined)[] =
    stored.length === lanes ? stored : Array.from({ length: lanes }, () => undefined)
  return {
    current,
    advance: (lane, position) => {
      current[lane] = { reportedMs: position.reportedMs, row: position.row }
      writeFileSync(`${file}.next`, JSON.stringify(current), { mode: 0o600 })
      renameSync(`${file}.next`, file)
    },
  }
}

function readPositions(file: string): (ReportPosition | undefined)[] {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return []
    throw error
  }
  const stored: unknown = JSON.parse(text)
  return Array.isArray(stored) ? stored.map(positionOf) : []
}

function positionOf(value: unknown): ReportPosition | undefined {
  if (!isJsonObject(value)) return undefined
  const { reportedMs, row } = value
  return typeof reportedMs === 'number' && typeof row === 'number' ? { reportedMs, row } : undefined
}
