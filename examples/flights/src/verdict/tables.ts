import type { Database } from '@millrace/ledger/database'

/** The fields of a result beside its window, of all pipelines together: each has some of them, the others are null. */
const values = `
    group_value VARCHAR, flights BIGINT, distance DOUBLE, mean_delay DOUBLE, worst_delay DOUBLE, origins BIGINT, longest DOUBLE`

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
    event_ms BIGINT, origin VARCHAR, destination VARCHAR, distance DOUBLE, delay DOUBLE, well_formed BOOLEAN)`,
  // The same of the feeds, the sources beside the flights, by topic.
  `CREATE TABLE feed_ledger (
    topic VARCHAR, status VARCHAR, id VARCHAR, partition INTEGER, "offset" BIGINT, sha256 VARCHAR, detail VARCHAR)`,
  `CREATE TABLE feed_topic (
    topic VARCHAR, partition INTEGER, "offset" BIGINT, source VARCHAR, id VARCHAR, key VARCHAR, sha256 VARCHAR)`,
  // What the topic of airports says of each, over and over: the newest counts.
  `CREATE TABLE airports (partition INTEGER, "offset" BIGINT, iata VARCHAR, state VARCHAR)`,
  // The results of all pipelines. Revision, counted and late are what they say of themselves.
  `CREATE TABLE results (
    pipeline VARCHAR, partition INTEGER, "offset" BIGINT, window_start_ms BIGINT, window_end_ms BIGINT,
    revision BIGINT, counted BIGINT, late BIGINT, ${values})`,
  // The topics of late events. Missed is in how many of its windows, the first ones, an event is not; null: that is not said, it is in none.
  `CREATE TABLE late (
    pipeline VARCHAR, partition INTEGER, "offset" BIGINT, origin_partition INTEGER, origin_offset BIGINT,
    source VARCHAR, id VARCHAR, sha256 VARCHAR, missed BIGINT)`,
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
  // What the verdict derives (`expectations.ts`): how each event stands with each pipeline (missed_end_ms: until when the last window that it missed
  // was open, or corrected), the windows that it is in, and their results.
  `CREATE TABLE watermarks (pipeline VARCHAR, ms BIGINT)`,
  `CREATE TABLE placed (
    pipeline VARCHAR, partition INTEGER, "offset" BIGINT, group_value VARCHAR, event_ms BIGINT, partition_watermark_ms BIGINT,
    windows BIGINT, missed BIGINT, missed_end_ms BIGINT)`,
  `CREATE TABLE in_windows (
    pipeline VARCHAR, partition INTEGER, "offset" BIGINT, group_value VARCHAR, partition_watermark_ms BIGINT,
    window_start_ms BIGINT, window_end_ms BIGINT)`,
  `CREATE TABLE expected (pipeline VARCHAR, window_start_ms BIGINT, window_end_ms BIGINT, ${values})`,
  // The same over the first events of a window alone, as many as counted says.
  `CREATE TABLE expected_revisions (
    pipeline VARCHAR, window_start_ms BIGINT, window_end_ms BIGINT, counted BIGINT, partition_watermark_ms BIGINT, ${values})`,
  `CREATE TABLE accounts (
    pipeline VARCHAR, reader VARCHAR, stored BIGINT, dead BIGINT, windows BIGINT, counted BIGINT, missed BIGINT, open BIGINT,
    processed BIGINT, late BIGINT)`,
]

export async function createTables(database: Database): Promise<void> {
  for (const statement of statements) await database.run(statement)
}
