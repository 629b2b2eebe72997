import { resolve } from 'node:path'
import type { Warehouse } from '@millrace/connect/snowflake-sql'
import type { Admin } from '@millrace/kafka/admin'
import { kafkaToolsOf } from '@millrace/stack/kafka-tools'
import type { RunningStack } from '@millrace/stack/run-stack'
import { gatewayUrl } from '@millrace/stack/servers/gateway'
import { airportDescribed } from './airport.ts'
import { mayHaveBegunAgain } from './began-again.ts'
import { feedLedgerFile, sources } from './feeds.ts'
import { flightDeparted } from './flight.ts'
import { auditor, departuresTable } from './platform.ts'
import { ledgerFileIn } from './sending.ts'
import type { Summary } from './summary.ts'
import { tokenFor } from './tokens.ts'
import { readAccounting } from './verdict/accounting.ts'
import type { Verdict } from './verdict/judge.ts'
import { reachVerdict } from './verdict/verdict.ts'

export type Judging = {
  readonly admin: Admin
  readonly warehouse: Warehouse
  /** Whether an earlier run has sent flights to this platform. */
  readonly isContinued: boolean
}

/**
 * Judges everything that was ever sent to a platform.
 * @throws MillraceError 'verdict.failed' | 'warehouse.unavailable' | 'warehouse.refused'
 */
export async function judged(
  directory: string,
  running: RunningStack,
  { admin, warehouse, isContinued }: Judging,
): Promise<Verdict> {
  const { installation, signal } = running
  const { pipelines } = installation.platform
  const corrected = pipelines.filter(({ late }) => late.kind === 'correct')
  return reachVerdict({
    signal,
    admin,
    events: flightDeparted,
    pipelines,
    sink: departuresTable,
    ledgerFile: ledgerFileIn(directory),
    airports: airportDescribed.topic,
    feeds: sources.map(({ type }) => ({ topic: type.topic, ledgerFile: feedLedgerFile(directory, type) })),
    kafka: await kafkaToolsOf(installation, auditor),
    warehouse,
    accounting: () =>
      readAccounting(gatewayUrl(installation), tokenFor(installation, 'flights-verdict', ['ops:read']), signal),
    beganAgain: isContinued || (await mayHaveBegunAgain(running, corrected)),
    directory: resolve(installation.layout.temporary, 'verdict'),
  })
}

/** A verdict over nothing, or over less than was acknowledged in this run, is none. */
export function isAbout(
  { findings }: Verdict,
  { replay: { acknowledged, end }, feeds }: Pick<Summary, 'replay' | 'feeds'>,
): boolean {
  const fed = feeds.reduce((sum, feed) => sum + feed.acknowledged, 0)
  return findings.acknowledged >= acknowledged && findings.fed >= fed && (acknowledged > 0 || end === 'exhausted')
}
