import { deadLetterHeaders } from '@millrace/core/dead-letter'

import { ledgerColumns } from '../ledger.ts'
import { type Database, literal } from './database.ts'
import { epochMsOf, isInteger, isNumber, jsonOf } from './json-text.ts'

/** A record of a megabyte is a line of up to four. */
const lineBytesMax = 8 * 1_048_576

/**
 * Reads what Kafka's console consumer printed (`console-consumer.ts`): tab-separated partition, offset, headers, key and
 * value. Bytes outside printable ASCII, and backslashes, are printed as `\xNN`: DuckDB's text form of a BLOB, so casting
 * gives back the bytes as they are in the log. `\,` separates headers and can therefore not occur in one. A null is printed
 * as the bytes of `null.literal` would be, so a record that has just these two bytes is read as null.
 */
function lines(file: string): string {
  return `(
    SELECT replace(partition, 'Partition:', '')::INTEGER AS partition, replace("offset", 'Offset:', '')::BIGINT AS "offset",
      headers, key, value
    FROM read_csv(${literal(file)}, delim = '\\t', quote = '', escape = '', header = false, auto_detect = false,
      nullstr = '\\x5CN', max_line_size = ${lineBytesMax}, columns = {
        'partition': 'VARCHAR', 'offset': 'VARCHAR', 'headers': 'VARCHAR', 'key': 'VARCHAR', 'value': 'VARCHAR'}))`
}

function header(name: string): string {
  return `nullif(regexp_extract(headers, '(?:^|\\\\,)${name}:(.*?)(?:\\\\,|$)', 1), '')`
}

/** The text of a value, or null where its bytes are not UTF-8. */
const text = `CASE WHEN contains(value, '\\') THEN try(decode(value::BLOB)) ELSE value END`
const sha256 = 'sha256(value::BLOB)'

const ledgerTypes: Record<(typeof ledgerColumns)[number], string> = {
  kind: 'VARCHAR',
  request: 'VARCHAR',
  at_ms: 'BIGINT',
  id: 'VARCHAR',
  partition: 'INTEGER',
  offset: 'BIGINT',
  sha256: 'VARCHAR',
  detail: 'VARCHAR',
}

function answers(file: string): string {
  return `(
    SELECT kind AS status, * EXCLUDE (kind)
    FROM read_csv(${literal(file)}, delim = '\\t', quote = '', escape = '', header = false, auto_detect = false,
      max_line_size = 4194304, columns = {${ledgerColumns.map((name) => `'${name}': '${ledgerTypes[name]}'`).join(', ')}})
    WHERE kind <> 'sending')`
}

/** Loads the replay's ledger: the answers. That a request was sent says nothing of what became of it. */
export async function loadLedger(database: Database, file: string): Promise<void> {
  await database.run(`
    INSERT INTO ledger
    SELECT status, request, at_ms, id, partition, "offset", sha256, detail FROM ${answers(file)}`)
}

/** Loads a feed's ledger, as `loadLedger` does. */
export async function loadFeedLedger(database: Database, topic: string, file: string): Promise<void> {
  await database.run(`
    INSERT INTO feed_ledger
    SELECT ${literal(topic)}, status, id, partition, "offset", sha256, detail FROM ${answers(file)}`)
}

/** Loads the topic of a feed, whose values are in the registry's frame. */
export async function loadFeedTopic(database: Database, topic: string, file: string): Promise<void> {
  await database.run(`
    INSERT INTO feed_topic
    SELECT ${literal(topic)}, partition, "offset", ${header('ce_source')}, ${header('ce_id')}, key, ${sha256}
    FROM ${lines(file)}`)
}

/** Loads the event topic. A value that is not what the schema says is kept, and marked. */
export async function loadTopic(database: Database, file: string): Promise<void> {
  await database.run(`
    INSERT INTO topic
    WITH read AS (
      SELECT *, ${header('ce_source')} AS source, ${header('ce_id')} AS id, ${sha256} AS sha256, ${text} AS text
      FROM ${lines(file)}),
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
      CASE WHEN well_formed THEN (json->'$.distance')::DOUBLE END,
      CASE WHEN well_formed THEN (json->'$.delay')::DOUBLE END,
      well_formed
    FROM checked`)
}

/** Loads the result topic. */
export async function loadResults(database: Database, file: string): Promise<void> {
  await database.run(`
    INSERT INTO results
    SELECT partition, "offset", json->>'$.origin',
      ${epochMsOf("json->>'$.windowStart'")}, ${epochMsOf("json->>'$.windowEnd'")},
      (json->'$.flights')::BIGINT, (json->'$.distance')::DOUBLE, (json->'$.meanDelay')::DOUBLE
    FROM (SELECT *, ${jsonOf('text')} AS json FROM (SELECT *, ${text} AS text FROM ${lines(file)}))`)
}

/** Loads the topic of late events. */
export async function loadLate(database: Database, file: string): Promise<void> {
  await database.run(`
    INSERT INTO late
    SELECT partition, "offset", ${header(deadLetterHeaders.partition)}::INTEGER, ${header(deadLetterHeaders.offset)}::BIGINT,
      ${header('ce_source')}, ${header('ce_id')}, ${sha256}
    FROM ${lines(file)}`)
}

/** Loads a dead letter topic. */
export async function loadDeadLetters(database: Database, topic: string, file: string): Promise<void> {
  await database.run(`
    INSERT INTO dead_letters
    SELECT ${literal(topic)}, partition, "offset", ${header(deadLetterHeaders.by)}, ${header(deadLetterHeaders.reason)},
      ${header(deadLetterHeaders.topic)}, TRY_CAST(${header(deadLetterHeaders.partition)} AS INTEGER),
      TRY_CAST(${header(deadLetterHeaders.offset)} AS BIGINT), ${header('ce_source')}, ${header('ce_id')}, ${sha256}
    FROM ${lines(file)}`)
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
