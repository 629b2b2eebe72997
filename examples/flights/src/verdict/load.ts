import { deadLetterHeaders } from '@millrace/core/dead-letter'

import { consoleLines, headerOf, sha256OfValue, textOfValue } from '@millrace/ledger/console-lines'
import { type Database, literal } from '@millrace/ledger/database'
import { answersIn } from '@millrace/ledger/ledger-lines'
import type { AccountingRow } from './accounting.ts'
import { epochMsOf, isInteger, isNumber, jsonOf } from './json-text.ts'
import type { Semantics } from './semantics.ts'

/** Loads the replay's ledger: the answers. That a request was sent says nothing of what became of it. */
export async function loadLedger(database: Database, file: string): Promise<void> {
  await database.run(`
    INSERT INTO ledger
    SELECT status, request, at_ms, id, partition, "offset", sha256, detail FROM ${answersIn(file)}`)
}

/** Loads a feed's ledger, as `loadLedger` does. */
export async function loadFeedLedger(database: Database, topic: string, file: string): Promise<void> {
  await database.run(`
    INSERT INTO feed_ledger
    SELECT ${literal(topic)}, status, id, partition, "offset", sha256, detail FROM ${answersIn(file)}`)
}

/** Loads the topic of a feed, whose values are in the registry's frame. */
export async function loadFeedTopic(database: Database, topic: string, file: string): Promise<void> {
  await database.run(`
    INSERT INTO feed_topic
    SELECT ${literal(topic)}, partition, "offset", ${headerOf('ce_source')}, ${headerOf('ce_id')}, key, ${sha256OfValue}
    FROM ${consoleLines(file)}`)
}

/** Loads the event topic. A value that is not what the schema says is kept, and marked. */
export async function loadTopic(database: Database, file: string): Promise<void> {
  await database.run(`
    INSERT INTO topic
    WITH read AS (
      SELECT *, ${headerOf('ce_source')} AS source, ${headerOf('ce_id')} AS id, ${sha256OfValue} AS sha256, ${textOfValue} AS text
      FROM ${consoleLines(file)}),
    parsed AS (SELECT *, ${jsonOf('text')} AS json FROM read),
    timed AS (
      SELECT *, CASE WHEN json_type(json, '$.date') = 'VARCHAR' THEN ${epochMsOf("json->>'$.date'")} END AS event_ms
      FROM parsed),
    checked AS (
      SELECT *, coalesce(
        event_ms IS NOT NULL AND ${isInteger('json', '$.flight')}
        AND json_type(json, '$.origin') = 'VARCHAR' AND json_type(json, '$.destination') = 'VARCHAR'
        AND ${isNumber('json', '$.distance')} AND ${isNumber('json', '$.delay')}, false) AS well_formed
      FROM timed)
    SELECT partition, "offset", source, id, key, sha256,
      CASE WHEN well_formed THEN event_ms END,
      CASE WHEN well_formed THEN json->>'$.origin' END,
      CASE WHEN well_formed THEN json->>'$.destination' END,
      CASE WHEN well_formed THEN (json->'$.distance')::DOUBLE END,
      CASE WHEN well_formed THEN (json->'$.delay')::DOUBLE END,
      well_formed
    FROM checked`)
}

/** Loads what the topic of airports says of them. */
export async function loadAirports(database: Database, file: string): Promise<void> {
  await database.run(`
    INSERT INTO airports
    SELECT partition, "offset", json->>'$.iata', json->>'$.state'
    FROM (SELECT *, ${jsonOf('text')} AS json FROM (SELECT *, ${textOfValue} AS text FROM ${consoleLines(file)}))`)
}

/** Loads the result topic of a pipeline. */
export async function loadResults(
  database: Database,
  { pipeline, group }: Pick<Semantics, 'pipeline' | 'group'>,
  file: string,
): Promise<void> {
  const saidOf = (name: string): string => `TRY_CAST(${headerOf(name)} AS BIGINT)`
  const number = (field: string, type = 'DOUBLE'): string => `(json->'$.${field}')::${type}`
  await database.run(`
    INSERT INTO results BY NAME
    SELECT ${literal(pipeline)} AS pipeline, partition, "offset", json->>'$.${group}' AS group_value,
      ${epochMsOf("json->>'$.windowStart'")} AS window_start_ms, ${epochMsOf("json->>'$.windowEnd'")} AS window_end_ms,
      ${saidOf('ce_revision')} AS revision, ${saidOf('ce_counted')} AS counted, ${saidOf('ce_late')} AS late,
      ${number('flights', 'BIGINT')} AS flights, ${number('distance')} AS distance, ${number('meanDelay')} AS mean_delay,
      ${number('worstDelay')} AS worst_delay, ${number('origins', 'BIGINT')} AS origins, ${number('longest')} AS longest
    FROM (SELECT *, ${jsonOf('text')} AS json FROM (SELECT *, ${textOfValue} AS text FROM ${consoleLines(file)}))`)
}

/** Loads the topic of a pipeline's late events. */
export async function loadLate(database: Database, pipeline: string, file: string): Promise<void> {
  await database.run(`
    INSERT INTO late
    SELECT ${literal(pipeline)}, partition, "offset", ${headerOf(deadLetterHeaders.partition)}::INTEGER,
      ${headerOf(deadLetterHeaders.offset)}::BIGINT, ${headerOf('ce_source')}, ${headerOf('ce_id')}, ${sha256OfValue},
      TRY_CAST(${headerOf('millrace_missed_windows')} AS BIGINT)
    FROM ${consoleLines(file)}`)
}

/** Loads a dead letter topic. */
export async function loadDeadLetters(database: Database, topic: string, file: string): Promise<void> {
  await database.run(`
    INSERT INTO dead_letters
    SELECT ${literal(topic)}, partition, "offset", ${headerOf(deadLetterHeaders.by)}, ${headerOf(deadLetterHeaders.reason)},
      ${headerOf(deadLetterHeaders.topic)}, TRY_CAST(${headerOf(deadLetterHeaders.partition)} AS INTEGER),
      TRY_CAST(${headerOf(deadLetterHeaders.offset)} AS BIGINT), ${headerOf('ce_source')}, ${headerOf('ce_id')}, ${sha256OfValue}
    FROM ${consoleLines(file)}`)
}

/** Loads the warehouse's rows (`warehouse-rows.ts`). */
export async function loadWarehouse(database: Database, file: string): Promise<void> {
  await database.run(`
    INSERT INTO warehouse
    SELECT "PARTITION"::INTEGER, "OFFSET"::BIGINT, "ORIGIN", ${epochMsOf('"WINDOW_START"')}, ${epochMsOf('"WINDOW_END"')},
      "FLIGHTS"::BIGINT, "DISTANCE"::DOUBLE, "MEAN_DELAY"::DOUBLE
    FROM read_json(${literal(file)}, format = 'newline_delimited', columns = {
      'PARTITION': 'VARCHAR', 'OFFSET': 'VARCHAR', 'ORIGIN': 'VARCHAR', 'WINDOW_START': 'VARCHAR',
      'WINDOW_END': 'VARCHAR', 'FLIGHTS': 'VARCHAR', 'DISTANCE': 'VARCHAR', 'MEAN_DELAY': 'VARCHAR'})`)
}

/** Loads what the platform's own accounting says (`accounting.ts`). */
export async function loadAccounting(database: Database, rows: readonly AccountingRow[]): Promise<void> {
  for (const { topic, reader, inFlight, unaccounted, ...counts } of rows) {
    const { accepted, processed, filtered, late, deadLettered } = counts
    await database.run(`
      INSERT INTO accounting VALUES (${literal(topic)}, ${literal(reader)}, ${accepted}, ${processed}, ${filtered}, ${late},
        ${deadLettered}, ${String(inFlight)}, ${String(unaccounted)})`)
  }
}
