import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Pipeline } from '@millrace/core/pipeline'
import type { SnowflakeSink } from '@millrace/core/sink'
import { deadLetterTopic } from '@millrace/core/topic-name'
import type { Warehouse } from '@millrace/connect/snowflake-sql'
import { tableOf } from '@millrace/connect/table'
import { flightSource } from '../flight.ts'
import { type KafkaTools, readTopics, type TopicRead } from './console-consumer.ts'
import { type Database, openDatabase } from './database.ts'
import { judge, type Verdict } from './judge.ts'
import { loadDeadLetters, loadLate, loadLedger, loadResults, loadTopic, loadWarehouse } from './load.ts'
import { semanticsOf } from './semantics.ts'
import { createTables } from './tables.ts'
import { readWarehouse } from './warehouse-rows.ts'

export type VerdictParts = {
  readonly pipeline: Pipeline
  readonly sink: SnowflakeSink
  readonly ledgerFile: string
  readonly kafka: KafkaTools
  readonly warehouse: Warehouse
  /** A folder for what is read; it is emptied before and deleted after. */
  readonly directory: string
}

/**
 * Judges a replay that has ended by what is there: the ledger, the topics as Kafka's own console consumer reads them, and the
 * warehouse as SQL answers. Kafka is read before the warehouse, so whatever was read there may already be loaded.
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
    await rm(directory, { recursive: true, force: true })
  }
}

async function loadWorld(database: Database, parts: VerdictParts): Promise<void> {
  const { pipeline, sink, ledgerFile, kafka, warehouse, directory } = parts
  const { from, result, lateTopic } = pipeline
  const read = (topic: string, transactional: boolean): TopicRead => ({
    topic,
    transactional,
    file: join(directory, `${topic}.tsv`),
  })
  const events = read(from.topic, false)
  const results = read(result.topic, true)
  const late = lateTopic === undefined ? [] : [read(lateTopic, true)]
  const deadLetters = [from.topic, result.topic].map((topic) => read(deadLetterTopic(topic), true))
  await readTopics(kafka, [events, results, ...late, ...deadLetters], directory)
  await loadLedger(database, ledgerFile)
  await loadTopic(database, events.file)
  await loadResults(database, results.file)
  for (const { file } of late) await loadLate(database, file)
  for (const { topic, file } of deadLetters) await loadDeadLetters(database, topic, file)
  const rows = join(directory, 'warehouse.jsonl')
  await readWarehouse(warehouse, tableOf(sink), result.partitions, rows)
  await loadWarehouse(database, rows)
}
