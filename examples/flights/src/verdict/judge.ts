import { type CheckResult, runCheck } from '@millrace/ledger/check'
import { type Database, literal, type Row } from '@millrace/ledger/database'
import * as z from 'zod'
import { accountsOf } from './account-checks.ts'
import { checksOf } from './checks.ts'
import { deriveExpectations } from './expectations.ts'
import type { Judged } from './semantics.ts'

/** What was found, beside the checks: nothing here makes a verdict false, and nothing is hidden. */
export type Findings = {
  readonly acknowledged: number
  /** Events of the sources beside the flights that were acknowledged. */
  readonly fed: number
  /** Sent and never confirmed: stored or not, nothing was promised. */
  readonly unconfirmed: number
  readonly refused: number
  readonly stored: number
  /** Records beyond the first of their (source, id), all byte-identical where the check says so. */
  readonly copies: number
  readonly firstCopies: readonly Row[]
  /** Events in the topic that somebody else sent. */
  readonly fromOthers: number
  /** What became of the events at each pipeline. */
  readonly pipelines: readonly PipelineFindings[]
  /** Of the pipeline whose results are loaded. */
  readonly results: number
  readonly windowsClosed: number
  /** The watermark that the topic's content proves. */
  readonly watermark: string | undefined
  readonly warehouseRows: number
  /** By partition of the result topic: the newest offset read there, and the newest in the warehouse. */
  readonly loadedUpTo: readonly Row[]
}

const pipelineShape = z.object({
  pipeline: z.string(),
  /** Results, and how many of them are revisions of others. */
  ...{ results: z.coerce.number(), revisions: z.coerce.number() },
  /** Events by the windows that they are in: counted in results, missed because they were late, in windows still open. */
  ...{ counted: z.coerce.number(), missed: z.coerce.number(), open: z.coerce.number() },
  /** Events that missed all their windows, and those that are malformed. */
  ...{ late: z.coerce.number(), dead: z.coerce.number() },
})
export type PipelineFindings = z.output<typeof pipelineShape>

export type Verdict = {
  readonly ok: boolean
  readonly checks: readonly CheckResult[]
  readonly findings: Findings
}

/** Judges what the tables hold. */
export async function judge(database: Database, judged: Judged): Promise<Verdict> {
  await derive(database, judged)
  const checks: CheckResult[] = []
  for (const check of checksOf(judged)) checks.push(await runCheck(database, check))
  return { ok: checks.every(({ ok }) => ok), checks, findings: await findingsOf(database, judged) }
}

/** Derives from what the tables hold what the checks compare it with. */
export async function derive(database: Database, judged: Judged): Promise<void> {
  await database.run(`CREATE TABLE ledger_source AS SELECT ${literal(judged.source)} AS source`)
  // A record that nobody gave an identity is nobody's copy.
  await database.run('CREATE VIEW identified AS SELECT * FROM topic WHERE source IS NOT NULL AND id IS NOT NULL')
  await deriveExpectations(database, judged.pipelines)
  for (const semantics of judged.pipelines) await database.run(accountsOf(semantics, judged.eventTopic))
}

async function findingsOf(database: Database, { loaded }: Judged): Promise<Findings> {
  const count = (sql: string): Promise<number> => database.number(`SELECT ${sql}`)
  const ofLoaded = `WHERE pipeline = ${literal(loaded)}`
  const [watermark] = await database.rows(
    `SELECT strftime(make_timestamp_ms(ms), '%Y-%m-%dT%H:%M:%SZ') AS at FROM watermarks ${ofLoaded}`,
  )
  const at = watermark?.['at']
  return {
    acknowledged: await count(`count(DISTINCT id) FROM ledger WHERE status IN ('accepted', 'duplicate')`),
    fed: await count(`count(DISTINCT (topic, id)) FROM feed_ledger WHERE status IN ('accepted', 'duplicate')`),
    unconfirmed: await count(`count(*) FROM (SELECT id FROM ledger GROUP BY id
      HAVING bool_and(status IN ('unconfirmed', 'unsent')))`),
    refused: await count(`count(DISTINCT id) FROM ledger WHERE status = 'rejected'`),
    stored: await count('count(*) FROM topic'),
    copies: await count('count(*) - count(DISTINCT (source, id)) FROM identified'),
    firstCopies: await database.rows(`
      SELECT source, id, partition, list("offset" ORDER BY "offset") AS offsets
      FROM identified GROUP BY source, id, partition HAVING count(*) > 1 ORDER BY ALL LIMIT 5`),
    fromOthers: await count('count(*) FROM topic WHERE source IS DISTINCT FROM (SELECT source FROM ledger_source)'),
    pipelines: await pipelineFindings(database),
    results: await count(`count(*) FROM results ${ofLoaded}`),
    windowsClosed: await count(`count(DISTINCT window_start_ms) FROM results ${ofLoaded}`),
    watermark: typeof at === 'string' ? at : undefined,
    warehouseRows: await count('count(*) FROM warehouse'),
    loadedUpTo: await database.rows(`
      SELECT partition, max(results."offset") AS newest, max(warehouse."offset") AS loaded
      FROM (SELECT * FROM results ${ofLoaded}) AS results FULL JOIN warehouse USING (partition, "offset") GROUP BY partition ORDER BY partition`),
  }
}

async function pipelineFindings(database: Database): Promise<PipelineFindings[]> {
  const rows = await database.rows(`
    SELECT pipeline, counted, missed, open, late, dead, count(results.flights) AS results,
      count(results.flights) FILTER (revision > 1) AS revisions
    FROM accounts LEFT JOIN (SELECT pipeline, flights, revision FROM results) AS results USING (pipeline)
    GROUP BY ALL ORDER BY pipeline`)
  return z.array(pipelineShape).parse(rows)
}
