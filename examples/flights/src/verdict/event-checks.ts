import type { Check } from '@millrace/ledger/check'
import { literal } from '@millrace/ledger/database'
import { answerChecks } from '@millrace/ledger/delivery-checks'
import type { Judged } from './semantics.ts'

const feedsAreStored: Check = {
  name: 'feeds-are-stored',
  says: 'every acknowledged event of the sources beside the flights is in its topic at the place that was returned, its bytes as they were sent',
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

const lateIsStored: Check = {
  name: 'late-is-stored',
  says: 'every late event is in the event topic at its origin, byte for byte, and is late once for a pipeline',
  compared: 'SELECT count(*) FROM late',
  differing: `
    SELECT late.pipeline, late.id, late.origin_partition, late.origin_offset, topic.id AS stored_id, count(*) AS copies
    FROM late LEFT JOIN topic ON topic.partition = late.origin_partition AND topic."offset" = late.origin_offset
    GROUP BY late.pipeline, late.id, late.origin_partition, late.origin_offset, late.source, late.sha256, topic.id, topic.source, topic.sha256
    HAVING count(*) > 1 OR topic.id IS DISTINCT FROM late.id OR topic.source IS DISTINCT FROM late.source
      OR topic.sha256 IS DISTINCT FROM late.sha256`,
}

const lateWasLate: Check = {
  name: 'late-was-late',
  says: 'every late event came when its own partition had already passed the end of the windows that it missed, and the time for which they are corrected',
  compared: 'SELECT count(*) FROM late',
  differing: `
    SELECT late.pipeline, late.id, late.origin_partition, late.origin_offset, event_ms, placed.missed, windows, missed_end_ms,
      partition_watermark_ms
    FROM late LEFT JOIN placed ON placed.pipeline = late.pipeline
      AND placed.partition = late.origin_partition AND placed."offset" = late.origin_offset
    WHERE NOT coalesce(placed.missed BETWEEN 1 AND windows AND missed_end_ms - 1 <= partition_watermark_ms, false)`,
}

const deadLettersAreMalformed = ({ eventTopic }: Judged): Check => ({
  name: 'dead-letters-are-malformed',
  says: 'what a pipeline dead-lettered is in the event topic at its origin, byte for byte, and is not what the schema says',
  compared: `SELECT count(*) FROM dead_letters WHERE origin_topic = ${literal(eventTopic)} AND dead_by LIKE 'flink/%'`,
  differing: `
    SELECT dead_by, origin_partition, origin_offset, list(dead_letters.id) AS ids, list(reason) AS reasons, count(*) AS copies,
      topic.well_formed
    FROM dead_letters LEFT JOIN topic
      ON topic.partition = origin_partition AND topic."offset" = origin_offset
    WHERE origin_topic = ${literal(eventTopic)} AND dead_by LIKE 'flink/%'
    GROUP BY dead_by, origin_partition, origin_offset, topic.sha256, topic.well_formed
    HAVING count(*) > 1 OR bool_or(topic.sha256 IS DISTINCT FROM dead_letters.sha256)
      OR topic.well_formed IS DISTINCT FROM false`,
})

/** Of what was sent, stored, found late or given up. */
export function eventChecks(judged: Judged): readonly Check[] {
  return [
    ...answerChecks,
    feedsAreStored,
    feedCopiesAreIdentical,
    lateIsStored,
    lateWasLate,
    deadLettersAreMalformed(judged),
  ]
}
