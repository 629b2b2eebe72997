/** What has to hold between the poison of a drill and the dead letters, over the tables of the ledger's `delivery-checks.ts`, and `effects`. */
import { deadLetterHeaders } from '@millrace/core/dead-letter'
import type { Check } from '@millrace/ledger/check'
import { consoleLines, headerOf, sha256OfValue } from '@millrace/ledger/console-lines'
import { poisonOfId, poisonReasons } from './poison.ts'

/** Less than one event takes that is tried again and again: whoever waits for it is seen. */
const standstillMs = 10_000

/**
 * SQL for the dead letters, which the checks ask for as `letters`.
 * @param file what Kafka's console consumer printed of their topic
 */
export function lettersIn(file: string): string {
  const { reason, partition, offset } = deadLetterHeaders
  return `
    SELECT ${headerOf(partition)}::INTEGER AS partition, ${headerOf(offset)}::BIGINT AS "offset", ${headerOf(reason)} AS reason,
      ${sha256OfValue} AS sha256
    FROM ${consoleLines(file)}`
}

const poison = `(
  SELECT id, kind, partition, "offset", sha256, reason
  FROM (SELECT *, ${poisonOfId} AS kind FROM topic)
  JOIN (VALUES ${Object.entries(poisonReasons)
    .map((pair) => `('${pair.join("', '")}')`)
    .join()}) AS reasons (kind, reason) USING (kind))`

export const poisonChecks: readonly Check[] = [
  {
    name: 'poison-is-dead-lettered-once',
    says: 'every poison event has led to one dead letter, with its bytes and the reason of its kind, and no other has to any',
    compared: `SELECT count(*) FROM ${poison}`,
    differing: `
      SELECT poison.id, partition, "offset", poison.reason, found.reasons, found.letters
      FROM ${poison} AS poison
      FULL JOIN (
        SELECT partition, "offset", count(*) AS letters, list(reason) AS reasons, list(sha256) AS contents FROM letters GROUP BY ALL
      ) AS found USING (partition, "offset")
      WHERE poison.id IS NULL OR found.letters IS DISTINCT FROM 1 OR found.reasons[1] IS DISTINCT FROM poison.reason
        OR found.contents[1] IS DISTINCT FROM poison.sha256`,
    needsSome: true,
  },
  {
    name: 'every-kind-of-poison-is-given',
    says: 'there was poison of each kind',
    compared: `SELECT count(DISTINCT kind) FROM ${poison}`,
    differing: `
      SELECT kind FROM (VALUES ${Object.keys(poisonReasons)
        .map((kind) => `('${kind}')`)
        .join()}) AS kinds (kind)
      WHERE kind NOT IN (SELECT kind FROM ${poison})`,
  },
  {
    name: 'no-partition-stands-still',
    says: `in no partition ${standstillMs / 1_000} s pass from one effect to the next, as long as events come`,
    compared: 'SELECT count(DISTINCT partition) FROM effects',
    differing: `
      SELECT partition, "offset", since_ms FROM (
        SELECT partition, "offset", least(timestamp_ms, (SELECT max(timestamp_ms) FROM topic))
          - lag(timestamp_ms) OVER (PARTITION BY partition ORDER BY "offset") AS since_ms
        FROM effects)
      WHERE since_ms > ${standstillMs}`,
    needsSome: true,
  },
]
