import type { Aggregate } from '@millrace/core/aggregate'
import type { Pipeline } from '@millrace/core/pipeline'
import { provenanceHeaders } from '@millrace/core/provenance'
import type { Window } from '@millrace/core/window'
import type { FlinkEnvironment } from './environment.ts'
import { expressionSql, tableColumn } from './expression.ts'
import { headersSql, keySql, scalarTextSql, sqlTypes, timestampTextSql } from './records.ts'
import { hasOutcomeSql, passedSql } from './outcomes.ts'
import * as sql from './sql.ts'
import { createTable, keyedBy, sinkOptions } from './tables.ts'

const table = 'results'

/** The table of the pipeline's results: JSON, one event for each window and group, and one for each revision of it. */
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

/**
 * The views that lead from `judged`, each row of which is a record and its outcome, to results: `grouped`, what windows take, by group; and
 * where results are corrected `aggregated`, what there is of each window and group as it changes.
 */
export function resultViews(pipeline: Pipeline): { readonly name: string; readonly query: string }[] {
  const isCorrected = pipeline.late.kind === 'correct'
  return [
    { name: 'grouped', query: groupedSql(pipeline) },
    ...(isCorrected ? [{ name: 'aggregated', query: aggregatedSql(pipeline) }] : []),
  ]
}

/** What a job counts, by what and in which windows. Flink takes state of the same types for its own, whatever was counted in it. */
export function countingSql(pipeline: Pipeline): string {
  return `${groupedSql(pipeline)}\n${aggregatedSql(pipeline)}`
}

/** Writes the results. What is no view is written out: views lose the parentheses around what sessions are partitioned by (Flink 2.3.0). */
export function insertResults(pipeline: Pipeline, environment: FlinkEnvironment): string {
  const from = pipeline.late.kind === 'correct' ? everyRevisionSql : `(\n${aggregatedSql(pipeline)}\n)`
  return `INSERT INTO ${sql.identifier(table)} SELECT
  ${outputSql(pipeline, environment).join(',\n  ')}
FROM ${from} WHERE \`counted\` > 0;`
}

/**
 * A row for each revision, and none for what it replaces. The first result is of what came in time, and each event that came late makes another;
 * where nothing came in time, the first of those makes it.
 */
const everyRevisionSql = `(
  SELECT *, \`late\` + CASE WHEN \`counted\` > \`late\` THEN 1 ELSE 0 END AS \`revision\`
  FROM TO_CHANGELOG(\`input\` => TABLE \`aggregated\`, \`op_mapping\` => MAP['INSERT, UPDATE_AFTER', 'result'])
)`

/** What the filter took out is there to be counted while its windows are open, but for sessions, which it would prolong. */
function groupedSql(pipeline: Pipeline): string {
  const { window, late } = pipeline
  const groups = Object.entries(pipeline.groupBy).map(
    ([name, { expression }]) => `${expressionSql(expression)} AS ${valueSql(name)}`,
  )
  const columns = [
    '`rowtime`',
    '`event`',
    '`event_time`',
    '`record_partition`',
    '`record_offset`',
    '`outcome`',
    ...pipeline.tables.map((_, table) => sql.identifier(tableColumn(table))),
    ...groups,
  ]
  const closed = late.kind === 'correct' ? [`${passedSql(window)} AS \`is_closed\``] : []
  const filtered = countsFiltered(pipeline) ? ` OR ${hasOutcomeSql('filtered')} AND NOT ${passedSql(window)}` : ''
  return `SELECT ${[...columns, ...closed].join(', ')}
FROM \`judged\` WHERE ${hasOutcomeSql('processed')}${filtered}`
}

function aggregatedSql(pipeline: Pipeline): string {
  const inResult = countsFiltered(pipeline) ? ` FILTER (WHERE ${hasOutcomeSql('processed')})` : ''
  const groups = Object.keys(pipeline.groupBy).map(valueSql)
  const { bounds, from, grouping } = windowSql(pipeline, groups)
  const columns = [
    ...bounds,
    ...groups,
    ...Object.entries(pipeline.aggregates).map(
      ([name, aggregate]) => `${aggregateSql(aggregate, inResult)} AS ${valueSql(name)}`,
    ),
    `COUNT(*)${inResult} AS \`counted\``,
    ...(countsFiltered(pipeline) ? [`COUNT(*) FILTER (WHERE ${hasOutcomeSql('filtered')}) AS \`filtered\``] : []),
    ...(pipeline.late.kind === 'correct'
      ? [`COUNT(*) FILTER (WHERE ${hasOutcomeSql('processed')} AND \`is_closed\`) AS \`late\``]
      : []),
    `OFFSET_RANGES(\`record_partition\`, \`record_offset\`)${inResult} AS \`offsets\``,
  ]
  return `SELECT
  ${columns.join(',\n  ')}
FROM ${from}
GROUP BY ${[...grouping, ...groups].join(', ')}`
}

type WindowSql = { readonly bounds: readonly string[]; readonly from: string; readonly grouping: readonly string[] }

/** Flink's table functions have no lateness that is allowed; its older grouped windows have, as the settings say. */
function windowSql({ window, late }: Pipeline, groups: readonly string[]): WindowSql {
  if (window.kind === 'tumbling' && late.kind === 'correct') {
    const of = `(\`rowtime\`, ${sql.interval(window.sizeMs)})`
    const bounds = [`TUMBLE_START${of} AS \`window_start\``, `TUMBLE_END${of} AS \`window_end\``]
    return { bounds, from: '`grouped`', grouping: [`TUMBLE${of}`] }
  }
  const bounds = ['`window_start`', '`window_end`']
  return { bounds, from: `TABLE(${tableFunctionSql(window, groups)})`, grouping: bounds }
}

function tableFunctionSql(window: Window, groups: readonly string[]): string {
  const by = 'DESCRIPTOR(`rowtime`)'
  switch (window.kind) {
    case 'tumbling':
      return `TUMBLE(TABLE \`grouped\`, ${by}, ${sql.interval(window.sizeMs)})`
    case 'sliding':
      return `HOP(TABLE \`grouped\`, ${by}, ${sql.interval(window.everyMs)}, ${sql.interval(window.sizeMs)})`
    case 'session': {
      const partition = groups.length === 0 ? '' : ` PARTITION BY (${groups.join(', ')})`
      return `SESSION(TABLE \`grouped\`${partition}, ${by}, ${sql.interval(window.gapMs)})`
    }
  }
}

/** The options by which a result is revised at once with each event that comes late. */
export function correctionSettings({ late }: Pipeline): Readonly<Record<string, string>> {
  if (late.kind !== 'correct') return {}
  return {
    // TO_CHANGELOG, which takes no uid, is named by this alone. By itself a number of the JVM's is in it, and a job that is planned again, after a crash
    // or a change, does not find the state of the one before (Flink 2.3.0).
    'table.exec.uid.format': '<type>-<transformation>',
    'table.exec.emit.late-fire.enabled': 'true',
    'table.exec.emit.late-fire.delay': '0 ms',
    'table.exec.emit.allow-lateness': `${late.withinMs} ms`,
  }
}

/** Whether what the filter takes out passes, too: then every aggregate says which rows it takes. */
function countsFiltered({ where, window }: Pipeline): boolean {
  return where !== undefined && window.kind !== 'session'
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
  const isCorrected = pipeline.late.kind === 'correct'
  return headersSql({
    ce_specversion: sql.text('1.0'),
    ce_id: isCorrected ? revisedId(id) : id,
    ce_source: sql.text(`/pipelines/${pipeline.name}`),
    ce_type: sql.text(pipeline.result.name),
    ce_time: timestampTextSql('`window_end`'),
    ce_dataschema: sql.text(environment.schemaUrl(pipeline.result)),
    [provenanceHeaders.revision]: isCorrected ? 'CAST(`revision` AS STRING)' : sql.text('1'),
    [provenanceHeaders.counted]: 'CAST(`counted` AS STRING)',
    [provenanceHeaders.late]: isCorrected ? 'CAST(`late` AS STRING)' : sql.text('0'),
    ...(pipeline.window.kind === 'session'
      ? {}
      : { [provenanceHeaders.filtered]: countsFiltered(pipeline) ? 'CAST(`filtered` AS STRING)' : sql.text('0') }),
    [provenanceHeaders.offsets]: '`offsets`',
    'content-type': sql.text('application/json'),
  })
}

/** An id of its own for each revision: a reader takes an id that it knows for a copy. */
function revisedId(id: string): string {
  return `${id} || CASE WHEN \`revision\` > 1 THEN '/' || CAST(\`revision\` AS STRING) ELSE '' END`
}

function aggregateSql({ kind, of, type, share = 0 }: Aggregate, inResult: string): string {
  const value = of && expressionSql(of)
  if (value === undefined) return `COUNT(*)${inResult}`
  const ordered = `${value}, \`event_time\`, \`record_partition\`, \`record_offset\``
  const number = (sqlText: string) => (type === 'integer' ? sqlText : `FINITE(${sqlText})`)
  switch (kind) {
    case 'count':
      return `COUNT(${value})${inResult}`
    case 'count-distinct':
      return `COUNT(DISTINCT ${value})${inResult}`
    case 'sum':
    case 'min':
    case 'max':
      return number(`${kind.toUpperCase()}(${value})${inResult}`)
    case 'average':
      return number(`AVG(CAST(${value} AS DOUBLE))${inResult}`)
    case 'quantile':
      return number(`PERCENTILE(CAST(${value} AS DOUBLE), CAST(${sql.number(share)} AS DOUBLE))${inResult}`)
    case 'first':
      return `FIRST_BY_TIME(${ordered})${inResult}`
    case 'last':
      return `LAST_BY_TIME(${ordered})${inResult}`
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
