/** Holds a ledger against a topic: was everything that was acknowledged stored, once, where it was said to be, in order, and nothing else? */
import { type Check, type CheckResult, runCheck } from './check.ts'
import { consoleLines, headerOf, sha256OfValue } from './console-lines.ts'
import { type Database, literal } from './database.ts'
import { answerChecks, historyChecks } from './delivery-checks.ts'
import { answersIn, sendingsIn } from './ledger-lines.ts'

export type Delivery = {
  /** The file of `openLedger`, its data noted with each sending. */
  readonly ledgerFile: string
  /** What Kafka's console consumer printed of the whole topic (`readTopics`). */
  readonly topicFile: string
  /** The CloudEvents source of all events of the ledger. Nobody else writes to the topic. */
  readonly source: string
  /** SQL for the key that an event was sent with, by its `id`; NULL for none. */
  readonly keyOfId: string
  /** How long after an event can be read a retry of it may still be taken for new, at another gateway or after a fault. */
  readonly recognisedAfterMs: number
  /** Of this history alone: over the tables of `delivery-checks.ts`. */
  readonly checks?: readonly Check[]
}

export type DeliveryVerdict = {
  readonly ok: boolean
  readonly checks: readonly CheckResult[]
  /** Events that were acknowledged. */
  readonly acknowledged: number
  /** Events of which it was never said what became of them: stored or not. */
  readonly unconfirmed: number
  readonly refused: number
  /** Records beyond the first of their event. Those that a check does not explain make the verdict false. */
  readonly copies: number
}

export async function judgeDelivery(database: Database, delivery: Delivery): Promise<DeliveryVerdict> {
  const { ledgerFile, topicFile, source, keyOfId, recognisedAfterMs, checks: further = [] } = delivery
  const header = { source: headerOf('ce_source'), id: headerOf('ce_id') }
  await database.run(`CREATE TABLE ledger_source AS SELECT ${literal(source)} AS source`)
  await database.run(`CREATE TABLE recognition AS SELECT ${recognisedAfterMs} AS after_ms`)
  await database.run(`CREATE TABLE ledger AS SELECT * FROM ${answersIn(ledgerFile)}`)
  await database.run(`CREATE TABLE sendings AS SELECT *, ${keyOfId} AS key FROM ${sendingsIn(ledgerFile)}`)
  // A reader that had to begin again has printed a record twice.
  await database.run(`
    CREATE TABLE topic AS
    SELECT DISTINCT partition, "offset", timestamp_ms, ${header.source} AS source, ${header.id} AS id, key, ${sha256OfValue} AS sha256
    FROM ${consoleLines(topicFile)}`)
  const checks: CheckResult[] = []
  for (const check of [...answerChecks, ...historyChecks, ...further]) checks.push(await runCheck(database, check))
  const count = (sql: string) => database.number(`SELECT ${sql}`)
  return {
    ok: checks.every(({ ok }) => ok),
    checks,
    acknowledged: await count(`count(DISTINCT id) FROM ledger WHERE status IN ('accepted', 'duplicate')`),
    unconfirmed: await count(
      `count(*) FROM (SELECT id FROM ledger GROUP BY id HAVING bool_and(status IN ('unconfirmed', 'unsent')))`,
    ),
    refused: await count(`count(*) FROM (SELECT id FROM ledger GROUP BY id HAVING bool_and(status = 'rejected'))`),
    copies: await count(`count(*) - count(DISTINCT id) FROM topic WHERE source = (SELECT source FROM ledger_source)`),
  }
}
