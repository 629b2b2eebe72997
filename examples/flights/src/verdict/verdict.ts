import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Admin } from '@millrace/kafka/admin'
import type { Pipeline } from '@millrace/core/pipeline'
import type { SnowflakeSink } from '@millrace/core/sink'
import { deadLetterTopic } from '@millrace/core/topic-name'
import type { Warehouse } from '@millrace/connect/snowflake-sql'
import { tableOf } from '@millrace/connect/table'
import { flightSource } from '../flight.ts'
import { deleteVerdictGroups, type KafkaTools, readTopics, type TopicRead } from '@millrace/ledger/console-consumer'
import { type Database, openDatabase } from '@millrace/ledger/database'
import { judge, type Verdict } from './judge.ts'
import type { AccountingRow } from './accounting.ts'
import {
  loadAccounting,
  loadDeadLetters,
  loadFeedLedger,
  loadFeedTopic,
  loadLate,
  loadLedger,
  loadResults,
  loadTopic,
  loadWarehouse,
} from './load.ts'
import { semanticsOf } from './semantics.ts'
import { createTables } from './tables.ts'
import { readWarehouse } from './warehouse-rows.ts'

export type VerdictParts = {
  readonly pipeline: Pipeline
  readonly sink: SnowflakeSink
  readonly ledgerFile: string
  /** The sources beside the flights: their topics, and the ledgers of what was sent there. */
  readonly feeds: readonly { readonly topic: string; readonly ledgerFile: string }[]
  readonly kafka: KafkaTools
  readonly admin: Admin
  readonly warehouse: Warehouse
  /** What the platform's own accounting says. */
  readonly accounting: () => Promise<readonly AccountingRow[]>
  /** A folder for what is read; it is emptied before and deleted after. */
  readonly directory: string
  readonly signal: AbortSignal
}

/**
 * Judges a replay that has ended by what is there: the ledger, the topics as Kafka's own console consumer reads them, and the
 * warehouse as SQL answers. Nothing may be posted meanwhile: what comes in between two reads would look like a difference.
 * @throws MillraceError 'verdict.failed' | 'warehouse.unavailable' | 'warehouse.refused' when something cannot be read
 */
export async function reachVerdict(parts: VerdictParts): Promise<Verdict> {
  const { directory } = parts
  await rm(directory, { recursive: true, force: true })
  await mkdir(directory, { recursive: true, mode: 0o700 })
  const database = await openDatabase(join(directory, 'verdict.duckdb'))
  try {
    await createTables(database)
    await loadWorld(database, parts)
    return await judge(database, semanticsOf(parts.pipeline), flightSource)
  } finally {
    database.close()
    await deleteVerdictGroups(parts.admin, parts.kafka.user)
    await rm(directory, { recursive: true, force: true })
  }
}

async function loadWorld(database: Database, parts: VerdictParts): Promise<void> {
  const { pipeline, sink, ledgerFile, kafka, warehouse, directory, signal } = parts
  const { from, result, lateTopic } = pipeline
  const read = (topic: string): TopicRead => ({ topic, file: join(directory, `${topic}.tsv`) })
  const events = read(from.topic)
  const results = read(result.topic)
  const late = lateTopic === undefined ? [] : [read(lateTopic)]
  const feeds = parts.feeds.map(({ topic, ledgerFile: ledger }) => ({ ...read(topic), ledger }))
  const deadLetters = [from.topic, result.topic].map((topic) => read(deadLetterTopic(topic)))
  await readTopics(kafka, [events, ...feeds, results, ...late, ...deadLetters], directory, signal)
  await loadLedger(database, ledgerFile)
  await loadTopic(database, events.file)
  for (const { topic, file, ledger } of feeds) {
    await loadFeedLedger(database, topic, ledger)
    await loadFeedTopic(database, topic, file)
  }
  await loadResults(database, results.file)
  for (const { file } of late) await loadLate(database, file)
  for (const { topic, file } of deadLetters) await loadDeadLetters(database, topic, file)
  const rows = join(directory, 'warehouse.jsonl')
  signal.throwIfAborted()
  await readWarehouse(warehouse, tableOf(sink), result.partitions, rows)
  await loadWarehouse(database, rows)
  await loadAccounting(database, await parts.accounting())
}
