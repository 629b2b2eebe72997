import { type CheckResult, runCheck } from '@millrace/ledger/check'
import { checksOf } from './checks.ts'
import { type Database, literal, type Row } from '@millrace/ledger/database'
import { deriveExpectations, type Semantics } from './semantics.ts'

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
  readonly counted: number
  readonly late: number
  readonly open: number
  readonly dead: number
  readonly results: number
  readonly windowsClosed: number
  /** The watermark that the topic's content proves. */
  readonly watermark: string | undefined
  readonly warehouseRows: number
  /** By partition of the result topic: the newest offset read there, and the newest in the warehouse. */
  readonly loadedUpTo: readonly Row[]
}

export type Verdict = {
  readonly ok: boolean
  readonly checks: readonly CheckResult[]
  readonly findings: Findings
}

/** Judges what the tables hold. `source` is the CloudEvents source of the ledger's events. */
export async function judge(database: Database, semantics: Semantics, source: string): Promise<Verdict> {
  await database.run(`CREATE TABLE ledger_source AS SELECT ${literal(source)} AS source`)
  // A record that nobody gave an identity is nobody's copy.
  await database.run('CREATE VIEW identified AS SELECT * FROM topic WHERE source IS NOT NULL AND id IS NOT NULL')
  await deriveExpectations(database, semantics)
  await database.run(accounts(semantics))
  const checks: CheckResult[] = []
  for (const check of checksOf(semantics)) checks.push(await runCheck(database, check))
  return { ok: checks.every(({ ok }) => ok), checks, findings: await findingsOf(database) }
}

function accounts({ eventTopic }: Semantics): string {
  return `
    CREATE TABLE accounts AS SELECT
      (SELECT count(*) FROM topic) AS stored,
      (SELECT coalesce(sum(flights), 0)::BIGINT FROM results) AS counted,
      (SELECT count(*) FROM late) AS late,
      (SELECT count(*) FROM in_time
        WHERE NOT coalesce(window_end_ms - 1 <= (SELECT ms FROM watermark), false)) AS open,
      (SELECT count(*) FROM dead_letters
        WHERE origin_topic = ${literal(eventTopic)} AND dead_by LIKE 'flink/%') AS dead`
}

async function findingsOf(database: Database): Promise<Findings> {
  const count = (sql: string): Promise<number> => database.number(`SELECT ${sql}`)
  const [watermark] = await database.rows(
    `SELECT strftime(make_timestamp_ms(ms), '%Y-%m-%dT%H:%M:%SZ') AS at FROM watermark`,
  )
  const at = watermark?.['at']
  return {
    acknowledged: await count(`count(DISTINCT id) FROM ledger WHERE status IN ('accepted', 'duplicate')`),
    fed: await count(`count(DISTINCT (topic, id)) FROM feed_ledger WHERE status IN ('accepted', 'duplicate')`),
    unconfirmed: await count(`count(*) FROM (SELECT id FROM ledger GROUP BY id
      HAVING bool_and(status IN ('unconfirmed', 'unsent')))`),
    refused: await count(`count(DISTINCT id) FROM ledger WHERE status = 'rejected'`),
    stored: await count('stored FROM accounts'),
    copies: await count('count(*) - count(DISTINCT (source, id)) FROM identified'),
    firstCopies: await database.rows(`
      SELECT source, id, partition, list("offset" ORDER BY "offset") AS offsets
      FROM identified GROUP BY source, id, partition HAVING count(*) > 1 ORDER BY ALL LIMIT 5`),
    fromOthers: await count('count(*) FROM topic WHERE source IS DISTINCT FROM (SELECT source FROM ledger_source)'),
    counted: await count('counted FROM accounts'),
    late: await count('late FROM accounts'),
    open: await count('open FROM accounts'),
    dead: await count('dead FROM accounts'),
    results: await count('count(*) FROM results'),
    windowsClosed: await count('count(DISTINCT window_start_ms) FROM results'),
    watermark: typeof at === 'string' ? at : undefined,
    warehouseRows: await count('count(*) FROM warehouse'),
    loadedUpTo: await database.rows(`
      SELECT partition, max(results."offset") AS newest, max(warehouse."offset") AS loaded
      FROM results FULL JOIN warehouse USING (partition, "offset") GROUP BY partition ORDER BY partition`),
  }
}
