/** What has to hold in some drills alone, over the tables of the ledger's `delivery-checks.ts`. */
import type { Check } from '@millrace/ledger/check'

const acknowledged = `status IN ('accepted', 'duplicate')`

/** Requests that the drill breaks off itself are named like this: nobody expects an answer to them. */
export const brokenOffPrefix = 'broken-off-'

/** Where a connection was refused nothing was sent: whoever balances goes to the next gateway. */
export const noRequestFails: Check = {
  name: 'no-request-fails',
  says: 'every request that reached a gateway was answered, and none with 5xx, 429 or 401',
  compared: `SELECT count(DISTINCT request) FROM ledger WHERE status <> 'unsent'`,
  differing: `
    SELECT request, min(at_ms) AS at_ms, any_value(detail) AS detail FROM ledger
    WHERE status = 'unconfirmed' AND NOT starts_with(request, '${brokenOffPrefix}') GROUP BY request`,
  needsSome: true,
}

/** That of requests that were broken off what had left is there, and nothing else, is no news where none of it is. */
export const nothingIsStoredByHalves: Check = {
  name: 'nothing-is-stored-by-halves',
  says: 'of requests that were broken off some events are stored, and none that had not left',
  compared: `SELECT count(*) FROM topic WHERE starts_with(id, '${brokenOffPrefix}')`,
  differing: `
    SELECT id, topic.partition, topic."offset" FROM topic JOIN ledger USING (id)
    WHERE starts_with(id, '${brokenOffPrefix}') AND status = 'unsent'`,
  needsSome: true,
}

/**
 * While too few replicas live to make anything safe: what was sent and answered between the two moments (ms since 1970). An event that was
 * safe before may be answered as a duplicate: its record is older.
 */
export function nothingIsAcknowledged(fromMs: number, toMs: number): readonly Check[] {
  const answers = `
    SELECT ledger.*, sent.at_ms AS sent_ms FROM ledger JOIN sendings AS sent USING (id, request)
    WHERE sent.at_ms >= ${fromMs} AND ledger.at_ms < ${toMs}`
  return [
    {
      name: 'nothing-is-acknowledged-without-replicas',
      says: 'no event was acknowledged that was sent while too few replicas lived',
      compared: `SELECT count(*) FROM (${answers})`,
      differing: `
        SELECT answers.id, answers.status, answers.sent_ms, topic.timestamp_ms FROM (${answers}) AS answers
        LEFT JOIN topic ON topic.partition = answers.partition AND topic."offset" = answers."offset"
        WHERE ${acknowledged} AND NOT (status = 'duplicate' AND coalesce(topic.timestamp_ms < ${fromMs}, false))`,
      needsSome: true,
    },
    {
      name: 'every-answer-without-replicas-is-503',
      says: 'whatever was sent while too few replicas lived was answered, and with 503',
      compared: `SELECT count(*) FROM (${answers}) WHERE status = 'unconfirmed'`,
      differing: `
        SELECT id, status, detail FROM (${answers})
        WHERE NOT ${acknowledged} AND NOT (detail LIKE '503 %' OR detail LIKE '%"status":503%')`,
      needsSome: true,
    },
  ]
}
