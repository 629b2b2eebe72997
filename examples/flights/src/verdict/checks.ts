import type { Check } from '@millrace/ledger/check'
import { literal } from '@millrace/ledger/database'
import { answerChecks } from '@millrace/ledger/delivery-checks'
import type { Semantics } from './semantics.ts'

/** Averages may differ by the order of additions; counts and sums of whole numbers may not. */
const relativeTolerance = 1e-9

const sameResult = (left: string, right: string): string => `(
  ${left}.flights IS NOT DISTINCT FROM ${right}.flights
  AND ${left}.distance IS NOT DISTINCT FROM ${right}.distance
  AND ${left}.window_end_ms IS NOT DISTINCT FROM ${right}.window_end_ms
  AND coalesce(abs(${left}.mean_delay - ${right}.mean_delay)
    <= ${relativeTolerance} * greatest(abs(${left}.mean_delay), abs(${right}.mean_delay)),
    ${left}.mean_delay IS NULL AND ${right}.mean_delay IS NULL))`

const windowsAreRight: Check = {
  name: 'windows-equal-recomputation',
  says: 'every closed window has the result that DuckDB computes from the topic without the late events, and there is no other result',
  compared: 'SELECT count(*) FROM expected',
  differing: `
    SELECT coalesce(expected.origin, results.origin) AS origin,
      coalesce(expected.window_start_ms, results.window_start_ms) AS window_start_ms,
      expected.flights AS expected_flights, results.flights,
      expected.distance AS expected_distance, results.distance,
      expected.mean_delay AS expected_mean_delay, results.mean_delay, results.partition, results."offset"
    FROM expected FULL JOIN results
      ON expected.origin = results.origin AND expected.window_start_ms = results.window_start_ms
    WHERE NOT ${sameResult('expected', 'results')} OR expected.origin IS NULL OR results.origin IS NULL`,
}

const resultsOnce: Check = {
  name: 'results-once',
  says: 'each window of each airport has one result',
  compared: 'SELECT count(*) FROM results',
  differing: `
    SELECT origin, window_start_ms, count(*) AS results,
      list({'partition': partition, 'offset': "offset"} ORDER BY partition, "offset") AS at
    FROM results GROUP BY origin, window_start_ms HAVING count(*) > 1`,
}

const lateIsStored: Check = {
  name: 'late-is-stored',
  says: 'every late event is in the event topic at its origin, byte for byte, and is late once',
  compared: 'SELECT count(*) FROM late',
  differing: `
    SELECT late.id, late.origin_partition, late.origin_offset, topic.id AS stored_id, count(*) AS copies
    FROM late LEFT JOIN topic ON topic.partition = late.origin_partition AND topic."offset" = late.origin_offset
    GROUP BY late.id, late.origin_partition, late.origin_offset, late.source, late.sha256, topic.id, topic.source, topic.sha256
    HAVING count(*) > 1 OR topic.id IS DISTINCT FROM late.id OR topic.source IS DISTINCT FROM late.source
      OR topic.sha256 IS DISTINCT FROM late.sha256`,
}

const lateWasLate: Check = {
  name: 'late-was-late',
  says: 'every late event came when its own partition had already passed the end of its window',
  compared: 'SELECT count(*) FROM late',
  differing: `
    SELECT late.id, late.origin_partition, late.origin_offset, events.event_ms, events.window_end_ms,
      events.partition_watermark_ms
    FROM late LEFT JOIN events ON events.partition = late.origin_partition AND events."offset" = late.origin_offset
    WHERE NOT coalesce(events.window_end_ms - 1 <= events.partition_watermark_ms, false)`,
}

const deadLettersAreMalformed = ({ eventTopic }: Semantics): Check => ({
  name: 'dead-letters-are-malformed',
  says: 'what the pipeline dead-lettered is in the event topic at its origin, byte for byte, and is not what the schema says',
  compared: `SELECT count(*) FROM dead_letters WHERE origin_topic = ${literal(eventTopic)} AND dead_by LIKE 'flink/%'`,
  differing: `
    SELECT origin_partition, origin_offset, list(dead_letters.id) AS ids, list(reason) AS reasons, count(*) AS copies,
      topic.well_formed
    FROM dead_letters LEFT JOIN topic
      ON topic.partition = origin_partition AND topic."offset" = origin_offset
    WHERE origin_topic = ${literal(eventTopic)} AND dead_by LIKE 'flink/%'
    GROUP BY origin_partition, origin_offset, topic.sha256, topic.well_formed
    HAVING count(*) > 1 OR bool_or(topic.sha256 IS DISTINCT FROM dead_letters.sha256)
      OR topic.well_formed IS DISTINCT FROM false`,
})

const accountsAddUp: Check = {
  name: 'accounts-add-up',
  says: 'events in the topic = counted in results + late + in windows still open + dead letters',
  compared: 'SELECT stored FROM accounts',
  differing: 'SELECT * FROM accounts WHERE stored <> counted + late + open + dead',
}

const accountingAgrees = ({ reader, eventTopic }: Semantics): Check => ({
  name: 'accounting-agrees',
  says: 'the platform’s own accounting has counted what is in the topics, and nothing is unaccounted for at any reader',
  compared: 'SELECT count(*) + (SELECT stored FROM accounts) FROM accounting',
  differing: `
    SELECT reader, stored, accepted, counted + open AS in_windows, processed, filtered, accounts.late, told.late AS told_late, dead,
      dead_lettered, in_flight
    FROM accounts LEFT JOIN accounting AS told ON reader = ${literal(reader)} AND topic = ${literal(eventTopic)}
    WHERE (stored, counted + open, 0, accounts.late, dead, 0) IS DISTINCT FROM (coalesce(accepted, 0), coalesce(processed, 0),
      coalesce(filtered, 0), coalesce(told.late, 0), coalesce(dead_lettered, 0), coalesce(in_flight, 0))
    UNION ALL BY NAME
    SELECT reader, topic, unaccounted FROM accounting WHERE unaccounted <> 0`,
})

const resultsAreLoaded: Check = {
  name: 'results-are-loaded',
  says: 'every result is in the warehouse once, with equal values, and nothing else is',
  compared: 'SELECT count(*) FROM results',
  differing: `
    SELECT coalesce(results.partition, loaded.partition) AS partition,
      coalesce(results."offset", loaded."offset") AS "offset", loaded.copies,
      results.origin, loaded.origin AS loaded_origin, results.window_start_ms, loaded.window_start_ms AS loaded_start_ms,
      results.flights, loaded.flights AS loaded_flights, results.distance, loaded.distance AS loaded_distance,
      results.mean_delay, loaded.mean_delay AS loaded_mean_delay
    FROM results FULL JOIN (
        SELECT *, count(*) OVER (PARTITION BY partition, "offset") AS copies FROM warehouse) AS loaded
      ON loaded.partition = results.partition AND loaded."offset" = results."offset"
    WHERE loaded.partition IS NULL OR results.partition IS NULL OR loaded.copies > 1
      OR NOT ${sameResult('results', 'loaded')} OR results.origin IS DISTINCT FROM loaded.origin
      OR results.window_start_ms IS DISTINCT FROM loaded.window_start_ms`,
}

const feedsAreStored: Check = {
  name: 'feeds-are-stored',
  says: 'every acknowledged event in Avro or Protobuf is in its topic at the place that was returned, its bytes as they were sent',
  compared: `SELECT count(*) FROM feed_ledger WHERE status IN ('accepted', 'duplicate')`,
  differing: `
    SELECT ledger.topic, ledger.id, ledger.partition, ledger."offset", topic.id AS stored_id,
      ledger.sha256, topic.sha256 AS stored_sha256
    FROM feed_ledger AS ledger LEFT JOIN feed_topic AS topic
      ON topic.topic = ledger.topic AND topic.partition = ledger.partition AND topic."offset" = ledger."offset"
    WHERE ledger.status IN ('accepted', 'duplicate')
      AND (topic.id IS DISTINCT FROM ledger.id OR topic.sha256 IS DISTINCT FROM ledger.sha256)
    UNION ALL
    SELECT topic.topic, topic.id, topic.partition, topic."offset", topic.id, ledger.detail, topic.sha256
    FROM feed_ledger AS ledger JOIN feed_topic AS topic ON topic.topic = ledger.topic AND topic.id = ledger.id
    WHERE ledger.status = 'rejected'`,
}

const feedCopiesAreIdentical: Check = {
  name: 'feed-copies-are-identical',
  says: 'such an event is in its topic once by source and id; further copies are byte-identical, in the same partition',
  compared: 'SELECT count(DISTINCT (topic, source, id)) FROM feed_topic WHERE source IS NOT NULL AND id IS NOT NULL',
  differing: `
    SELECT topic, source, id, count(*) AS copies, count(DISTINCT sha256) AS contents,
      count(DISTINCT partition) AS partitions, list("offset" ORDER BY "offset") AS offsets
    FROM feed_topic WHERE source IS NOT NULL AND id IS NOT NULL GROUP BY topic, source, id
    HAVING count(*) > 1 AND (contents > 1 OR partitions > 1 OR count(DISTINCT coalesce(key, '')) > 1)`,
}

/** All checks, in the order in which the data flow. */
export function checksOf(semantics: Semantics): readonly Check[] {
  return [
    ...answerChecks,
    feedsAreStored,
    feedCopiesAreIdentical,
    lateIsStored,
    lateWasLate,
    deadLettersAreMalformed(semantics),
    windowsAreRight,
    resultsOnce,
    accountsAddUp,
    accountingAgrees(semantics),
    resultsAreLoaded,
  ]
}
