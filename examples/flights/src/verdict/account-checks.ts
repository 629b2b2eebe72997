import type { Check } from '@millrace/ledger/check'
import { literal } from '@millrace/ledger/database'
import { isClosed } from './expectations.ts'
import type { Judged, Semantics } from './semantics.ts'

/**
 * What became of the events at a pipeline. They are counted by the windows that they are in, for one may be late for some of them alone:
 * counted in results (of several revisions in the newest), missed, or in windows that are still open. It is processed where it is in one.
 */
export function accountsOf({ pipeline, reader }: Semantics, eventTopic: string): string {
  const of = (table: string): string => `FROM ${table} WHERE pipeline = ${literal(pipeline)}`
  return `
    INSERT INTO accounts BY NAME SELECT
      ${literal(pipeline)} AS pipeline, ${literal(reader)} AS reader,
      (SELECT count(*) FROM topic) AS stored,
      (SELECT count(*) FROM dead_letters WHERE origin_topic = ${literal(eventTopic)} AND dead_by = ${literal(reader)}) AS dead,
      (SELECT coalesce(max(windows), 1) ${of('placed')}) AS windows,
      (SELECT coalesce(sum(flights), 0)::BIGINT FROM (
        SELECT flights ${of('results')}
        QUALIFY rank() OVER (PARTITION BY group_value, window_start_ms ORDER BY revision DESC) = 1)) AS counted,
      (SELECT coalesce(sum(coalesce(missed, (SELECT max(windows) ${of('placed')}))), 0)::BIGINT ${of('late')}) AS missed,
      (SELECT count(*) ${of('in_windows')} AND NOT ${isClosed(pipeline)}) AS open,
      (SELECT count(*) ${of('placed')} AND missed < windows) AS processed,
      (SELECT count(*) ${of('placed')} AND missed >= windows) AS late`
}

const accountsAddUp: Check = {
  name: 'accounts-add-up',
  says: 'events in the topic, each in all its windows = counted in results + missed, being late + in windows still open, and dead letters',
  compared: 'SELECT coalesce(sum(stored), 0) FROM accounts',
  differing: 'SELECT * FROM accounts WHERE (stored - dead) * windows <> counted + missed + open',
}

const accountingAgrees = ({ eventTopic }: Judged): Check => ({
  name: 'accounting-agrees',
  says: 'the platform’s own accounting has counted what is in the topics, and nothing is unaccounted for at any reader',
  compared: 'SELECT count(*) + (SELECT coalesce(sum(stored), 0) FROM accounts) FROM accounting',
  differing: `
    SELECT accounts.reader, stored, accepted, accounts.processed AS in_windows, told.processed, filtered, accounts.late,
      told.late AS told_late, dead, dead_lettered, in_flight
    FROM accounts LEFT JOIN accounting AS told ON told.reader = accounts.reader AND topic = ${literal(eventTopic)}
    WHERE (stored, accounts.processed, 0, accounts.late, dead, 0) IS DISTINCT FROM (coalesce(accepted, 0), coalesce(told.processed, 0),
      coalesce(filtered, 0), coalesce(told.late, 0), coalesce(dead_lettered, 0), coalesce(in_flight, 0))
    UNION ALL BY NAME
    SELECT reader, topic, unaccounted FROM accounting WHERE unaccounted <> 0`,
})

/** Of where every event ended. */
export function accountChecks(judged: Judged): readonly Check[] {
  return [accountsAddUp, accountingAgrees(judged)]
}
