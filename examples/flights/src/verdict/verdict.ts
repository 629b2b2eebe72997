import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Admin } from '@millrace/kafka/admin'
import type { EventType } from '@millrace/core/event-type'
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
  loadAirports,
  loadDeadLetters,
  loadFeedLedger,
  loadFeedTopic,
  loadLate,
  loadLedger,
  loadResults,
  loadTopic,
  loadWarehouse,
} from './load.ts'
import { type Judged, semanticsOf } from './semantics.ts'
import { createTables } from './tables.ts'
import { readWarehouse } from './warehouse-rows.ts'

export type VerdictParts = {
  /** All of them read the flights. */
  readonly events: EventType
  readonly pipelines: readonly Pipeline[]
  readonly sink: SnowflakeSink
  readonly ledgerFile: string
  /** The topic that the pipelines join. */
  readonly airports: string
  /** The sources beside the flights: their topics, and the ledgers of what was sent there. */
  readonly feeds: readonly { readonly topic: string; readonly ledgerFile: string }[]
  readonly kafka: KafkaTools
  readonly admin: Admin
  readonly warehouse: Warehouse
  /** What the platform's own accounting says. */
  readonly accounting: () => Promise<readonly AccountingRow[]>
  /** Whether a job that corrects results may have begun again from a checkpoint: then it may have left revisions out. */
  readonly beganAgain: boolean
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
    return await judge(database, judgedOf(parts))
  } finally {
    database.close()
    await deleteVerdictGroups(parts.admin, parts.kafka.user)
    await rm(directory, { recursive: true, force: true })
  }
}

function judgedOf({ events, pipelines, sink, beganAgain }: VerdictParts): Judged {
  return {
    eventTopic: events.topic,
    source: flightSource,
    pipelines: pipelines.map(semanticsOf),
    loaded: sink.from.name,
    beganAgain,
  }
}

async function loadWorld(database: Database, parts: VerdictParts): Promise<void> {
  const { sink, ledgerFile, directory, signal } = parts
  const { events, feeds, results, late, deadLetters } = topicsOf(parts)
  const reads = [events, ...feeds, ...results, ...late, ...deadLetters]
  await readTopics(parts.kafka, reads, directory, signal)
  await loadLedger(database, ledgerFile)
  await loadTopic(database, events.file)
  for (const { topic, file, ledger } of feeds) {
    await loadFeedLedger(database, topic, ledger)
    await loadFeedTopic(database, topic, file)
    if (topic === parts.airports) await loadAirports(database, file)
  }
  for (const { of, file } of results) await loadResults(database, of, file)
  for (const { pipeline, file } of late) await loadLate(database, pipeline, file)
  for (const { topic, file } of deadLetters) await loadDeadLetters(database, topic, file)
  const rows = join(directory, 'warehouse.jsonl')
  signal.throwIfAborted()
  await readWarehouse(parts.warehouse, tableOf(sink), sink.from.partitions, rows)
  await loadWarehouse(database, rows)
  await loadAccounting(database, await parts.accounting())
}

/** What is read of Kafka, and whose it is. */
function topicsOf({ events, pipelines, sink, feeds, directory }: VerdictParts) {
  const read = (topic: string): TopicRead => ({ topic, file: join(directory, `${topic}.tsv`) })
  return {
    events: read(events.topic),
    feeds: feeds.map(({ topic, ledgerFile }) => ({ ...read(topic), ledger: ledgerFile })),
    results: pipelines.map((pipeline) => ({ ...read(pipeline.result.topic), of: semanticsOf(pipeline) })),
    late: pipelines.flatMap(({ name, lateTopic }) =>
      lateTopic === undefined ? [] : [{ ...read(lateTopic), pipeline: name }],
    ),
    deadLetters: [events.topic, sink.from.topic].map((topic) => read(deadLetterTopic(topic))),
  }
}
