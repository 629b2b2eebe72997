import { accountsTopic } from '@millrace/core/account'
import { type Pipeline, pipelineReader } from '@millrace/core/pipeline'
import type { FlinkEnvironment } from './environment.ts'
import { minuteTextSql } from './records.ts'
import * as sql from './sql.ts'
import { createTable, keyedBy, sinkOptions } from './tables.ts'

/**
 * The pipeline's accounts of its topic. What was counted and not yet told is in the job's checkpoints, like its place in the topic, and
 * what it tells becomes readable by them: so each record is counted once, whatever dies.
 */

const table = 'accounts'

/** How long records are counted before it is told. */
const intervalMs = 2_000

export function accountTable(pipeline: Pipeline, environment: FlinkEnvironment): string {
  return createTable({
    name: table,
    columns: [
      '`record_key` BYTES',
      '`reader` STRING',
      '`topic` STRING',
      '`partition` INT',
      '`from` BIGINT',
      '`through` BIGINT',
      '`beyond` BIGINT',
      '`counts` ARRAY<ROW<`minute` STRING, `outcome` STRING, `events` BIGINT>>',
    ],
    options: { ...sinkOptions(pipeline, environment, accountsTopic, table), ...keyedBy, 'value.format': 'json' },
  })
}

/** What is counted of each record of `judged`, and when. */
export const countedQuery = `SELECT \`record_partition\`, \`record_offset\`, \`outcome\`, \`minute\`, PROCTIME() AS \`counted_at\`
FROM \`judged\``

/**
 * Writes what `counted` holds: an account for each minute and outcome of a partition. All those of an interval are told at once, between
 * two records, so that together they hold every record before the last of them.
 */
export function insertAccounts({ name, from, late }: Pipeline): string {
  const reader = sql.text(pipelineReader(name))
  // A job has Flink's table functions of windows or its older grouped ones, which alone correct results.
  const [source, interval] =
    late.kind === 'correct'
      ? ['`counted`', `TUMBLE(\`counted_at\`, ${sql.interval(intervalMs)})`]
      : [
          `TABLE(TUMBLE(TABLE \`counted\`, DESCRIPTOR(\`counted_at\`), ${sql.interval(intervalMs)}))`,
          '`window_start`, `window_end`',
        ]
  return `INSERT INTO ${sql.identifier(table)} SELECT
  ENCODE(${reader}, 'UTF-8'),
  ${reader},
  ${sql.text(from.topic)},
  \`record_partition\`,
  \`first_offset\`,
  \`last_offset\` + 1,
  CAST(0 AS BIGINT),
  ARRAY[ROW(${minuteTextSql('`minute`')}, \`outcome\`, \`events\`)]
FROM (
  SELECT
    \`record_partition\`,
    \`minute\`,
    \`outcome\`,
    MIN(\`record_offset\`) AS \`first_offset\`,
    MAX(\`record_offset\`) AS \`last_offset\`,
    COUNT(*) AS \`events\`
  FROM ${source}
  GROUP BY ${interval}, \`record_partition\`, \`minute\`, \`outcome\`
);`
}
