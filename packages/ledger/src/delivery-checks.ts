/**
 * What has to hold between what was sent to the gateway, what it answered and what is in the topic. The checks compare tables, whoever fills
 * them:
 *
 * - `ledger (status, request, id, partition, offset, sha256, detail)`: the answers, one row for each event of each answered request;
 * - `topic (partition, offset, source, id, key, sha256)`: the records;
 * - `ledger_source (source)`: the CloudEvents source of all events in the ledger.
 *
 * `historyChecks` compare besides:
 *
 * - `sendings (position, request, at_ms, id, sha256, key)`: what was sent, in order, to a topic of its own. A key has one event under way
 *   at a time, but for those that were given up;
 * - `ledger.at_ms`: when the answer came; `topic.timestamp_ms`: the record's own time, by the gateway's clock;
 * - `recognition (after_ms)`: from when a retry must be recognised, after its event could be read.
 */
import type { Check } from './check.ts'

const acknowledged = `status IN ('accepted', 'duplicate')`
const ours = 'source = (SELECT source FROM ledger_source)'

/** Of a ledger that says what was answered. */
export const answerChecks: readonly Check[] = [
  {
    name: 'acknowledged-is-stored',
    says: 'every acknowledged event is in the topic at the partition and offset that were returned, byte for byte',
    compared: `SELECT count(*) FROM ledger WHERE ${acknowledged}`,
    differing: `
      SELECT ledger.id, ledger.partition, ledger."offset", topic.id AS stored_id,
        ledger.sha256, topic.sha256 AS stored_sha256
      FROM ledger LEFT JOIN topic ON topic.partition = ledger.partition AND topic."offset" = ledger."offset"
      WHERE ${acknowledged}
        AND (topic.id IS DISTINCT FROM ledger.id OR topic.sha256 IS DISTINCT FROM ledger.sha256
          OR topic.source IS DISTINCT FROM (SELECT source FROM ledger_source))`,
  },
  {
    name: 'refused-is-not-stored',
    says: 'no event that the API refused, or that never left, is in the topic',
    compared: `SELECT count(DISTINCT id) FROM ledger WHERE status IN ('rejected', 'unsent')`,
    differing: `
      SELECT topic.id, topic.partition, topic."offset", refused.detail
      FROM (SELECT id, min(detail) AS detail FROM ledger GROUP BY id HAVING bool_and(status IN ('rejected', 'unsent'))) AS refused
      JOIN topic ON topic.id = refused.id AND ${ours}`,
  },
  {
    name: 'copies-are-identical',
    says: 'an event is in the topic once by source and id; further copies are byte-identical, in the same partition',
    compared: 'SELECT count(DISTINCT (source, id)) FROM topic WHERE source IS NOT NULL AND id IS NOT NULL',
    // A record that nobody gave an identity is nobody's copy.
    differing: `
      SELECT source, id, count(*) AS copies, count(DISTINCT sha256) AS contents, count(DISTINCT partition) AS partitions,
        list("offset" ORDER BY "offset") AS offsets
      FROM topic WHERE source IS NOT NULL AND id IS NOT NULL GROUP BY source, id
      HAVING count(*) > 1 AND (contents > 1 OR partitions > 1 OR count(DISTINCT coalesce(key, '')) > 1)`,
  },
]

/**
 * Answers to attempts that were sent when their event could be read for so long that it had to be recognised. Of several copies the first
 * is that of the earliest time, as gateways that write at once agree; it can be read when it, or a later record of its partition, was
 * acknowledged.
 */
const recognisable = `
  SELECT ledger.id, ledger.status, ledger.partition, ledger."offset", sent.at_ms - first.readable_ms AS after_ms,
    first.partition AS first_partition, first."offset" AS first_offset
  FROM ledger JOIN sendings AS sent USING (id, request)
  JOIN (
    SELECT id, partition, "offset", readable_ms FROM (
      SELECT id, topic.partition, topic."offset", timestamp_ms, source,
        min(acknowledged_ms) OVER (
          PARTITION BY topic.partition ORDER BY topic."offset" DESC ROWS UNBOUNDED PRECEDING) AS readable_ms
      FROM topic LEFT JOIN (
        SELECT partition, "offset", min(at_ms) AS acknowledged_ms FROM ledger WHERE ${acknowledged} GROUP BY ALL) AS answered
        ON answered.partition = topic.partition AND answered."offset" = topic."offset")
    WHERE ${ours}
    QUALIFY row_number() OVER (PARTITION BY id ORDER BY timestamp_ms, partition, "offset") = 1) AS first USING (id)
  WHERE ${acknowledged} AND sent.at_ms > first.readable_ms + (SELECT after_ms FROM recognition)`

/** Where a drill is about nothing else, it asks that there was something to recognise. */
export const retryIsRecognised: Check = {
  name: 'a-retry-is-recognised',
  says: 'what is sent again when it could be read for long enough is answered as a duplicate, with the place of its first copy',
  compared: `SELECT count(*) FROM (${recognisable})`,
  differing: `
    SELECT * FROM (${recognisable})
    WHERE status = 'accepted' OR partition <> first_partition OR "offset" <> first_offset`,
}

/** Of a ledger that says what was sent too, in which each key has one event under way at a time. */
export const historyChecks: readonly Check[] = [
  {
    name: 'stored-was-sent',
    says: 'whatever is in the topic was sent, byte for byte',
    compared: 'SELECT count(*) FROM topic',
    differing: `
      SELECT topic.source, topic.id, topic.partition, topic."offset", sent.sha256, topic.sha256 AS stored_sha256
      FROM topic LEFT JOIN (SELECT id, list(DISTINCT sha256) FILTER (sha256 IS NOT NULL) AS contents, min(sha256) AS sha256 FROM sendings GROUP BY id) AS sent
        ON sent.id = topic.id
      WHERE topic.source IS DISTINCT FROM (SELECT source FROM ledger_source) OR sent.id IS NULL
        OR (len(contents) > 0 AND NOT list_contains(contents, topic.sha256))`,
  },
  {
    name: 'a-place-is-claimed-once',
    says: 'no partition and offset was returned for two events',
    compared: `SELECT count(DISTINCT (partition, "offset")) FROM ledger WHERE ${acknowledged}`,
    differing: `
      SELECT partition, "offset", list(DISTINCT id ORDER BY id) AS ids FROM ledger WHERE ${acknowledged}
      GROUP BY partition, "offset" HAVING count(DISTINCT id) > 1`,
  },
  {
    name: 'copies-are-explained',
    says: 'an event is in the topic no more often than it left and was neither refused nor recognised',
    compared: 'SELECT count(DISTINCT id) FROM sendings',
    differing: `
      SELECT stored.id, stored.copies, coalesce(sent.attempts, 0) - coalesce(answered.needless, 0) AS explained
      FROM (SELECT id, count(*) AS copies FROM topic WHERE ${ours} GROUP BY id) AS stored
      LEFT JOIN (SELECT id, count(*) AS attempts FROM sendings GROUP BY id) AS sent USING (id)
      LEFT JOIN (
        SELECT id, count(*) AS needless FROM ledger WHERE status IN ('duplicate', 'rejected', 'unsent') GROUP BY id) AS answered USING (id)
      WHERE stored.copies > greatest(1, coalesce(sent.attempts, 0) - coalesce(answered.needless, 0))`,
  },
  retryIsRecognised,
  {
    name: 'every-sending-is-answered',
    says: 'every request was answered, or its connection broke',
    compared: 'SELECT count(*) FROM sendings',
    differing: `
      SELECT sendings.id, sendings.request FROM sendings LEFT JOIN ledger USING (id, request) WHERE ledger.id IS NULL`,
  },
  {
    name: 'a-key-is-kept',
    says: 'every record has the key that its event was sent with',
    compared: `SELECT count(*) FROM topic WHERE ${ours}`,
    differing: `
      SELECT topic.id, topic.partition, topic."offset", topic.key AS stored_key, sent.key
      FROM topic JOIN (SELECT DISTINCT id, key FROM sendings) AS sent USING (id)
      WHERE ${ours} AND topic.key IS DISTINCT FROM sent.key`,
  },
  {
    name: 'a-key-keeps-its-partition',
    says: 'all events that were sent with one key are in one partition',
    compared: 'SELECT count(DISTINCT key) FROM sendings',
    differing: `
      SELECT sent.key, list(DISTINCT partition ORDER BY partition) AS partitions
      FROM topic JOIN (SELECT DISTINCT id, key FROM sendings) AS sent USING (id)
      WHERE ${ours} AND sent.key IS NOT NULL GROUP BY sent.key HAVING count(DISTINCT partition) > 1`,
  },
  {
    name: 'a-key-keeps-its-order',
    says: 'the acknowledged events of a key are in the topic in the order in which they were sent',
    compared: `SELECT count(DISTINCT id) FROM ledger WHERE ${acknowledged}`,
    differing: `
      SELECT key, id, first_offset, position, position_before FROM (
        SELECT key, id, first_offset, position,
          max(position) OVER (
            PARTITION BY key ORDER BY first_offset ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS position_before
        FROM (SELECT id, min("offset") AS first_offset FROM topic WHERE ${ours} GROUP BY id) AS stored
        JOIN (SELECT id, min(key) AS key, min(position) AS position FROM sendings GROUP BY id) AS sent USING (id)
        WHERE key IS NOT NULL AND id IN (SELECT id FROM ledger WHERE ${acknowledged}))
      WHERE position_before > position`,
  },
]
