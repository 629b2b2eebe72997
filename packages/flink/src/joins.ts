import type { Pipeline } from '@millrace/core/pipeline'
import type { FlinkEnvironment } from './environment.ts'
import { expressionSql, tableColumn } from './expression.ts'
import { decodedSql, keySql, notesWatermarkAsItReads } from './records.ts'
import * as sql from './sql.ts'
import { consumerProperties } from './tables.ts'

/**
 * The views that lead from `decoded` to `timed`: every record and the watermark before it, and where tables are joined the newest event of
 * each. What the filter takes out and what is malformed passes, too: it advances the watermark of the windows, and an event that comes after it
 * may be late because of it.
 */
export function timedViews(pipeline: Pipeline, environment: FlinkEnvironment): { name: string; query: string }[] {
  const { tables } = pipeline
  if (notesWatermarkAsItReads(pipeline)) return [{ name: 'timed', query: 'SELECT * FROM `decoded`' }]
  if (tables.length === 0) {
    const timed = 'SELECT * FROM WITH_WATERMARK(`input` => TABLE `decoded`, `on_time` => DESCRIPTOR(`rowtime`))'
    return [{ name: 'timed', query: timed }]
  }
  const keys = tables.map(
    ({ by }, table) => `${keySql(expressionSql(by.expression), by.type)} AS ${sql.identifier(keyColumn(table))}`,
  )
  const joined = [
    '`input` => TABLE `keyed`',
    `\`topics\` => ${sql.text(tables.map(({ type }) => type.topic).join(','))}`,
    `\`consumer\` => ${sql.text(consumerProperties(environment))}`,
    '`on_time` => DESCRIPTOR(`rowtime`)',
  ]
  const rows = tables.map(
    ({ type }, table) =>
      `${decodedSql(type, sql.identifier(`${tableColumn(table)}_value`))} AS ${sql.identifier(tableColumn(table))}`,
  )
  return [
    { name: 'keyed', query: `SELECT *, ${keys.join(', ')} FROM \`decoded\`` },
    { name: 'joined', query: `SELECT * FROM WITH_LATEST(\n  ${joined.join(',\n  ')}\n)` },
    { name: 'timed', query: `SELECT *, ${rows.join(', ')} FROM \`joined\`` },
  ]
}

function keyColumn(table: number): string {
  return `${tableColumn(table)}_key`
}
