/** What has to hold between the events of a drill and what workers made of them, over the tables of the ledger's `delivery-checks.ts`. */
import type { Check } from '@millrace/ledger/check'
import { consoleLines, headerOf } from '@millrace/ledger/console-lines'
import { literal } from '@millrace/ledger/database'
import { poisonOfId } from './poison.ts'
import type { Crash } from './workers.ts'

/**
 * SQL for the effects, which the checks ask for as `effects`.
 * @param file what Kafka's console consumer printed of their topic
 */
export function effectsIn(file: string): string {
  return `
    SELECT timestamp_ms, partition, "offset", ${headerOf('ce_id')} AS identity, ${headerOf('ce_subject')} AS worker,
      value, value->>'$.key' AS key, (value->>'$.round')::BIGINT AS round, (value->>'$.key') || '-' || (value->>'$.round') AS id
    FROM ${consoleLines(file)}`
}

export const effectChecks: readonly Check[] = [
  {
    name: 'every-event-has-its-effect-once',
    says: 'every record that is no poison has led to one effect, and the copies of an event to effects of one identity',
    compared: `SELECT count(*) FROM topic WHERE ${poisonOfId} IS NULL`,
    differing: `
      SELECT coalesce(stored.id, done.id) AS id, stored.records, done.effects, done.identities
      FROM (SELECT id, count(*) AS records FROM topic WHERE ${poisonOfId} IS NULL GROUP BY id) AS stored
      FULL JOIN (SELECT id, count(*) AS effects, count(DISTINCT identity) AS identities FROM effects GROUP BY id) AS done
        ON done.id = stored.id
      WHERE stored.records IS DISTINCT FROM done.effects OR done.identities <> 1`,
    needsSome: true,
  },
  {
    name: 'effects-are-those-of-a-clean-run',
    says: 'every effect is, byte for byte, what the handler makes of its event, in the partition of its key',
    compared: 'SELECT count(*) FROM effects',
    differing: `
      SELECT partition, "offset", value FROM (
        SELECT *, count(DISTINCT partition) OVER (PARTITION BY key) AS partitions FROM effects)
      WHERE value <> '{"key":"' || key || '","round":' || round || '}' OR partitions > 1`,
    needsSome: true,
  },
  {
    name: 'effects-keep-their-order',
    says: 'the effects of a key are in the order of its events',
    compared: 'SELECT count(DISTINCT key) FROM effects',
    differing: `
      SELECT key, id, "offset", place, before FROM (
        SELECT *, max(place) OVER (
          PARTITION BY key ORDER BY "offset" ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before
        FROM (
          SELECT effects.key, effects.id, effects."offset", stored.place
          FROM (SELECT key, id, min("offset") AS "offset" FROM effects GROUP BY key, id) AS effects
          JOIN (SELECT id, min("offset") AS place FROM topic GROUP BY id) AS stored USING (id)))
      WHERE before > place`,
    needsSome: true,
  },
]

/** @param running how many workers run at the end */
export function workersRunOn(running: number, crashes: readonly Crash[]): Check {
  const rows = crashes.map(({ name, how }) => `(${literal(name)}, ${literal(how)})`)
  return {
    name: 'workers-run-on',
    says: 'no worker has ended by itself',
    compared: `SELECT ${running + crashes.length}`,
    differing:
      rows.length === 0
        ? 'SELECT NULL AS worker WHERE false'
        : `SELECT * FROM (VALUES ${rows.join()}) AS crash (worker, how)`,
    needsSome: true,
  }
}
