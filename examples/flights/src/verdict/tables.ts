import type { Database } from '@millrace/ledger/database'

/**
 * The tables that the checks compare. What fills them (files of Kafka's console consumer, the ledger, the warehouse's
 * SQL) does not matter to the checks, so a test fills them by hand.
 */
const statements = [
  // What the replay noted: one row for each event of each answered request.
  `CREATE TABLE ledger (
    status VARCHAR, request VARCHAR, at_ms BIGINT, id VARCHAR, partition INTEGER, "offset" BIGINT, sha256 VARCHAR, detail VARCHAR)`,
  // The event topic. The fields are null where the value is not what the schema says (well_formed false).
  `CREATE TABLE topic (
    partition INTEGER, "offset" BIGINT, source VARCHAR, id VARCHAR, key VARCHAR, sha256 VARCHAR,
    event_ms BIGINT, origin VARCHAR, distance DOUBLE, delay DOUBLE, well_formed BOOLEAN)`,
  // The same of the feeds, the sources beside the flights, by topic.
  `CREATE TABLE feed_ledger (
    topic VARCHAR, status VARCHAR, id VARCHAR, partition INTEGER, "offset" BIGINT, sha256 VARCHAR, detail VARCHAR)`,
  `CREATE TABLE feed_topic (
    topic VARCHAR, partition INTEGER, "offset" BIGINT, source VARCHAR, id VARCHAR, key VARCHAR, sha256 VARCHAR)`,
  `CREATE TABLE results (
    partition INTEGER, "offset" BIGINT, origin VARCHAR, window_start_ms BIGINT, window_end_ms BIGINT,
    flights BIGINT, distance DOUBLE, mean_delay DOUBLE)`,
  `CREATE TABLE late (
    partition INTEGER, "offset" BIGINT, origin_partition INTEGER, origin_offset BIGINT,
    source VARCHAR, id VARCHAR, sha256 VARCHAR)`,
  `CREATE TABLE dead_letters (
    topic VARCHAR, partition INTEGER, "offset" BIGINT, dead_by VARCHAR, reason VARCHAR,
    origin_topic VARCHAR, origin_partition INTEGER, origin_offset BIGINT, source VARCHAR, id VARCHAR, sha256 VARCHAR)`,
  // What the platform's own accounting says, by topic and reader.
  `CREATE TABLE accounting (
    topic VARCHAR, reader VARCHAR, accepted BIGINT, processed BIGINT, filtered BIGINT, late BIGINT, dead_lettered BIGINT,
    in_flight BIGINT, unaccounted BIGINT)`,
  // The table in the warehouse; partition and offset are those of the result's record.
  `CREATE TABLE warehouse (
    partition INTEGER, "offset" BIGINT, origin VARCHAR, window_start_ms BIGINT, window_end_ms BIGINT,
    flights BIGINT, distance DOUBLE, mean_delay DOUBLE)`,
]

export async function createTables(database: Database): Promise<void> {
  for (const statement of statements) await database.run(statement)
}
