import type { Aggregate } from '@millrace/core/aggregate'
import type { Pipeline } from '@millrace/core/pipeline'
import type { FlinkEnvironment } from './environment.ts'
import { expressionSql } from './expression.ts'
import { headersSql, keySql, scalarTextSql, sqlTypes, timestampTextSql } from './records.ts'
import { hasOutcomeSql } from './outcomes.ts'
import * as sql from './sql.ts'
import { createTable, keyedBy, sinkOptions } from './tables.ts'

const table = 'results'

/** The table of the pipeline's results: JSON, one event for each window and group. */
export function resultTable(pipeline: Pipeline, environment: FlinkEnvironment): string {
  const { result } = pipeline
  const fields = Object.entries(result.fields).map(([name, { type }]) => `${sql.identifier(name)} ${sqlTypes[type]}`)
  const names = columnNames(pipeline)
  return createTable({
    name: table,
    columns: [
      ...(result.key === undefined ? [] : [`${sql.identifier(names.key)} BYTES`]),
      ...fields,
      `${sql.identifier(names.headers)} MAP<STRING, BYTES> METADATA FROM 'headers'`,
    ],
    options: {
      ...sinkOptions(pipeline, environment, result.topic, table),
      ...(result.key === undefined ? {} : { ...keyedBy, 'key.fields': names.key }),
      'value.format': 'json',
      'value.json.timestamp-format.standard': 'ISO-8601',
      'value.json.encode.ignore-null-fields': true,
    },
  })
}

/** Writes the aggregates of the windows in `windowed`, each row of which is a record, its window and its outcome. */
export function insertResults(pipeline: Pipeline, environment: FlinkEnvironment): string {
  const groups = Object.entries(pipeline.groupBy)
  const columns = [
    '`window_start`',
    '`window_end`',
    ...groups.map(([name, { expression }]) => `${expressionSql(expression)} AS ${valueSql(name)}`),
    ...Object.entries(pipeline.aggregates).map(
      ([name, aggregate]) => `${aggregateSql(aggregate)} AS ${valueSql(name)}`,
    ),
  ]
  const grouping = ['`window_start`', '`window_end`', ...groups.map(([, { expression }]) => expressionSql(expression))]
  return `INSERT INTO ${sql.identifier(table)} SELECT
  ${outputSql(pipeline, environment).join(',\n  ')}
FROM (
  SELECT
    ${columns.join(',\n    ')}
  FROM \`windowed\` WHERE ${hasOutcomeSql('processed')}
  GROUP BY ${grouping.join(', ')}
);`
}

/** The values of a result in the order of its table. */
function outputSql(pipeline: Pipeline, environment: FlinkEnvironment): string[] {
  const { result } = pipeline
  const fields = Object.entries(result.fields).map(([name, { type }]) => {
    const bound = windowBounds.get(name)
    return bound === undefined ? valueSql(name) : `CAST(${bound} AS ${sqlTypes[type]})`
  })
  const [group] = Object.entries(pipeline.groupBy)
  const key = result.key !== undefined && group ? [keySql(valueSql(group[0]), group[1].type)] : []
  return [...key, ...fields, resultHeaders(pipeline, environment)]
}

/** CloudEvents in binary mode. The id follows from what the result is about: a result that is computed again has it again. */
function resultHeaders(pipeline: Pipeline, environment: FlinkEnvironment): string {
  const groups = Object.entries(pipeline.groupBy).map(
    // Percent-encoded, so that no value holds the separator, nor the tilde that stands for null.
    ([name, { type }]) => `COALESCE(URL_ENCODE(${scalarTextSql(valueSql(name), type)}), '~')`,
  )
  const id = [...groups, timestampTextSql('`window_start`')].join(" || '/' || ")
  return headersSql({
    ce_specversion: sql.text('1.0'),
    ce_id: id,
    ce_source: sql.text(`/pipelines/${pipeline.name}`),
    ce_type: sql.text(pipeline.result.name),
    ce_time: timestampTextSql('`window_end`'),
    ce_dataschema: sql.text(environment.schemaUrl(pipeline.result)),
    'content-type': sql.text('application/json'),
  })
}

function aggregateSql({ kind, of }: Aggregate): string {
  const value = of && expressionSql(of)
  if (value === undefined) return 'COUNT(*)'
  switch (kind) {
    case 'count':
      return `COUNT(${value})`
    case 'sum':
      return `SUM(${value})`
    case 'average':
      return `AVG(CAST(${value} AS DOUBLE))`
    case 'min':
      return `MIN(${value})`
    case 'max':
      return `MAX(${value})`
  }
}

const windowBounds: ReadonlyMap<string, string> = new Map([
  ['windowStart', '`window_start`'],
  ['windowEnd', '`window_end`'],
])

/** The column of a group or aggregate, named as none of the window's is: the planner, too, calls those `window_…` by itself. */
function valueSql(name: string): string {
  return sql.identifier(`_${name}`)
}

/** The sink's own columns, named as no field of the result is. */
function columnNames({ result }: Pipeline): { readonly key: string; readonly headers: string } {
  const unused = (name: string): string => (Object.hasOwn(result.fields, name) ? unused(`_${name}`) : name)
  return { key: unused('record_key'), headers: unused('record_headers') }
}
