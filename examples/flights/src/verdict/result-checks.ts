import type { Check } from '@millrace/ledger/check'
import { literal } from '@millrace/ledger/database'
import type { Judged, Semantics } from './semantics.ts'

/** Averages may differ by the order of additions; counts and sums of whole numbers may not. */
const relativeTolerance = 1e-9

function equal(left: string, right: string, columns: readonly string[]): string {
  const equalities = columns.map((column) => {
    const [one, other] = [`${left}.${column}`, `${right}.${column}`]
    return column === 'mean_delay'
      ? `coalesce(abs(${one} - ${other}) <= ${relativeTolerance} * greatest(abs(${one}), abs(${other})), ${one} IS NULL AND ${other} IS NULL)`
      : `${one} IS NOT DISTINCT FROM ${other}`
  })
  return `(${equalities.join('\n  AND ')})`
}

function shown(left: string, right: string, columns: readonly string[]): string {
  return columns.map((column) => `${left}.${column} AS expected_${column}, ${right}.${column}`).join(', ')
}

const sameWindow = `expected.group_value IS NOT DISTINCT FROM told.group_value AND expected.window_start_ms = told.window_start_ms`

/** Of a result with several revisions the newest. */
const resultsAreRight = ({ pipeline, check, aggregates }: Semantics): Check => {
  const columns = ['window_end_ms', ...Object.keys(aggregates)]
  return {
    ...check,
    compared: `SELECT count(*) FROM expected WHERE pipeline = ${literal(pipeline)}`,
    differing: `
      SELECT coalesce(expected.group_value, told.group_value) AS group_value,
        coalesce(expected.window_start_ms, told.window_start_ms) AS window_start_ms,
        ${shown('expected', 'told', columns)}, told.revision, told.partition, told."offset"
      FROM (SELECT * FROM expected WHERE pipeline = ${literal(pipeline)}) AS expected
      FULL JOIN (
        SELECT * FROM results WHERE pipeline = ${literal(pipeline)}
        QUALIFY rank() OVER (PARTITION BY group_value, window_start_ms ORDER BY revision DESC) = 1) AS told
        ON ${sameWindow}
      WHERE expected.pipeline IS NULL OR told.pipeline IS NULL OR NOT ${equal('expected', 'told', columns)}`,
  }
}

/**
 * Those that came in time are what a result counts and does not call late: of a window always the same, and revision 1 is over them; each late
 * one makes another. Where none came in time the first late one makes revision 1.
 */
const revisionsAreRight = ({ pipeline, aggregates }: Semantics): Check => {
  const columns = ['window_end_ms', ...Object.keys(aggregates)]
  return {
    name: 'revisions-equal-recomputation',
    says: 'each revision is what DuckDB computes from the events that had come by then, and has the number that follows from those that came late',
    compared: `SELECT count(*) FROM results WHERE pipeline = ${literal(pipeline)}`,
    differing: `
      SELECT told.group_value, told.window_start_ms, told.revision, told.counted, told.late, in_time, partition_watermark_ms,
        ${shown('expected', 'told', columns)}, told.partition, told."offset"
      FROM (
        SELECT *, min(counted - late) OVER (PARTITION BY group_value, window_start_ms) AS in_time
        FROM results WHERE pipeline = ${literal(pipeline)}) AS told
      LEFT JOIN (SELECT * FROM expected_revisions WHERE pipeline = ${literal(pipeline)}) AS expected
        ON ${sameWindow} AND expected.counted = told.counted
      WHERE NOT coalesce(${equal('expected', 'told', columns)} AND expected.counted IS NOT NULL
        AND told.counted - told.late = in_time AND told.late >= 0
        AND told.revision = told.late + CASE WHEN in_time > 0 THEN 1 ELSE 0 END
        AND (told.late = 0 OR told.window_end_ms - 1 <= partition_watermark_ms), false)`,
  }
}

const revisionsAreConsecutive = ({ pipeline }: Semantics): Check => ({
  name: 'revisions-are-consecutive',
  says: 'of each window that is corrected every revision is there, from the first on',
  compared: `SELECT count(*) FROM results WHERE pipeline = ${literal(pipeline)}`,
  differing: `
    SELECT group_value, window_start_ms, list(DISTINCT revision ORDER BY revision) AS revisions
    FROM results WHERE pipeline = ${literal(pipeline)} GROUP BY ALL
    HAVING revisions IS DISTINCT FROM range(1, max(revision) + 1)`,
})

const resultsOnce: Check = {
  name: 'results-once',
  says: 'each window of each group has one result, and where it is corrected one of each revision',
  compared: 'SELECT count(*) FROM results',
  differing: `
    SELECT pipeline, group_value, window_start_ms, revision, count(*) AS results,
      list({'partition': partition, 'offset': "offset"} ORDER BY partition, "offset") AS at
    FROM results GROUP BY ALL HAVING count(*) > 1`,
}

const resultsTellOfThemselves = ({ pipelines }: Judged): Check => {
  const uncorrected = pipelines
    .filter(({ correctedForMs }) => correctedForMs === 0)
    .map(({ pipeline }) => literal(pipeline))
  return {
    name: 'results-tell-of-themselves',
    says: 'every result says how many events it counts, and where it is not corrected that it is the first and none of them late',
    compared: 'SELECT count(*) FROM results',
    differing: `
      SELECT pipeline, group_value, window_start_ms, flights, counted, late, revision, partition, "offset" FROM results
      WHERE flights IS DISTINCT FROM counted
        OR pipeline IN (${uncorrected.join(', ')}) AND (revision, late) IS DISTINCT FROM (1, 0)`,
  }
}

const resultsAreLoaded = ({ loaded }: Judged): Check => ({
  name: 'results-are-loaded',
  says: 'every result of the pipeline that is loaded is in the warehouse once, with equal values, and nothing else is',
  compared: `SELECT count(*) FROM results WHERE pipeline = ${literal(loaded)}`,
  differing: `
    SELECT coalesce(results.partition, loaded.partition) AS partition,
      coalesce(results."offset", loaded."offset") AS "offset", loaded.copies,
      results.origin, loaded.origin AS loaded_origin, results.window_start_ms, loaded.window_start_ms AS loaded_start_ms,
      results.flights, loaded.flights AS loaded_flights, results.distance, loaded.distance AS loaded_distance,
      results.mean_delay, loaded.mean_delay AS loaded_mean_delay
    FROM (SELECT * RENAME (group_value AS origin) FROM results WHERE pipeline = ${literal(loaded)}) AS results FULL JOIN (
        SELECT *, count(*) OVER (PARTITION BY partition, "offset") AS copies FROM warehouse) AS loaded
      ON loaded.partition = results.partition AND loaded."offset" = results."offset"
    WHERE loaded.partition IS NULL OR results.partition IS NULL OR loaded.copies > 1
      OR NOT ${equal('results', 'loaded', ['window_end_ms', 'flights', 'distance', 'mean_delay'])} OR results.origin IS DISTINCT FROM loaded.origin
      OR results.window_start_ms IS DISTINCT FROM loaded.window_start_ms`,
})

/** Of what the pipelines and the sink made of the events. */
export function resultChecks(judged: Judged): readonly Check[] {
  const corrected = judged.pipelines.filter(({ correctedForMs }) => correctedForMs > 0)
  return [
    ...judged.pipelines.map(resultsAreRight),
    ...corrected.map(revisionsAreRight),
    // A job that began again takes several late events together, and those revisions were never published.
    ...(judged.beganAgain ? [] : corrected.map(revisionsAreConsecutive)),
    resultsOnce,
    resultsTellOfThemselves(judged),
    resultsAreLoaded(judged),
  ]
}
