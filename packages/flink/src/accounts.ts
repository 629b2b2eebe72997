import { accountsTopic } from '@millrace/core/account'
import { type Pipeline, pipelineReader } from '@millrace/core/pipeline'
import type { FlinkEnvironment } from './environment.ts'
import * as sql from './sql.ts'
import { createTable, keyedBy, sinkOptions } from './tables.ts'

/**
 * The pipeline's accounts of its topic. They are counted where records are judged, told before each checkpoint and readable by it, like the
 * job's place in the topic: so each record is counted once, whatever dies.
 */

const table = 'accounts'

/** The table that counts what is written to it. */
export function accountTable(pipeline: Pipeline, environment: FlinkEnvironment): string {
  const kafka = { ...sinkOptions(pipeline, environment, accountsTopic, table), ...keyedBy, 'value.format': 'json' }
  return createTable({
    name: table,
    columns: [
      '`record_partition` INT',
      '`record_offset` BIGINT',
      '`outcome` STRING',
      '`account_time` TIMESTAMP_LTZ(3)',
    ],
    options: {
      ...kafka,
      connector: 'millrace-accounts',
      reader: pipelineReader(pipeline.name),
      of: pipeline.from.topic,
    },
  })
}

/** What is counted of each record of `judged`. */
export const countedQuery = 'SELECT `record_partition`, `record_offset`, `outcome`, `account_time` FROM `judged`'

export const insertAccounts = `INSERT INTO ${sql.identifier(table)} SELECT * FROM \`counted\`;`
