/**
 * What has to hold between what was sent to the gateway, what it answered and what is in the topic. The checks compare tables, whoever fills
 * them:
 *
 * - `ledger (status, request, id, partition, offset, sha256, detail)`: the answers, one row for each event of each answered request;
 * - `topic (partition, offset, source, id, key, sha256)`: the records;
 * - `ledger_source (source)`: the CloudEvents source of all events in the ledger;
 * - `sendings (position, request, id, sha256, key)`, for `historyChecks`: what was sent, in order, to a topic of its own. A key has one
 *   event under way at a time, but for those that were given up.
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
    says: 'no event that the API refused is in the topic',
    compared: `SELECT count(DISTINCT id) FROM ledger WHERE status = 'rejected'`,
    differing: `
      SELECT topic.id, topic.partition, topic."offset", refused.detail
      FROM (SELECT id, min(detail) AS detail FROM ledger GROUP BY id HAVING bool_and(status = 'rejected')) AS refused
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
    says: 'an event is in the topic no more often than it was sent without being refused or recognised',
    compared: 'SELECT count(DISTINCT id) FROM sendings',
    differing: `
      SELECT stored.id, stored.copies, coalesce(sent.attempts, 0) - coalesce(answered.needless, 0) AS explained
      FROM (SELECT id, count(*) AS copies FROM topic WHERE ${ours} GROUP BY id) AS stored
      LEFT JOIN (SELECT id, count(*) AS attempts FROM sendings GROUP BY id) AS sent USING (id)
      LEFT JOIN (
        SELECT id, count(*) AS needless FROM ledger WHERE status IN ('duplicate', 'rejected') GROUP BY id) AS answered USING (id)
      WHERE stored.copies > greatest(1, coalesce(sent.attempts, 0) - coalesce(answered.needless, 0))`,
  },
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
