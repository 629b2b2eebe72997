import { earliestTimeMs } from '@millrace/core/cloud-event'
import { deadLetterHeaders } from '@millrace/core/dead-letter'
import type { EventType } from '@millrace/core/event-type'
import type { Fields, FieldType } from '@millrace/core/field'
import { pointerTokens } from '@millrace/core/json'
import type { Pipeline } from '@millrace/core/pipeline'
import { eventTimeHeader } from '@millrace/core/kafka-binding'
import { replayForHeader } from '@millrace/core/replay'
import * as sql from './sql.ts'

/** How the SQL of a pipeline sees Kafka records: the columns of its source, and the headers of what it writes. */

export const sqlTypes: Record<FieldType, string> = {
  string: 'STRING',
  number: 'DOUBLE',
  integer: 'BIGINT',
  boolean: 'BOOLEAN',
  timestamp: 'TIMESTAMP_LTZ(3)',
}

/** Header names → SQL expressions of the type STRING. */
type HeaderExpressions = Readonly<Record<string, string>>

/** The physical and metadata columns of a record whose value may be malformed: bytes stay bytes. */
export function recordColumns(pipeline: Pipeline): string[] {
  return [
    '`record_key` BYTES',
    '`record_value` BYTES',
    '`record_headers` BYTES',
    '`record_partition` INT',
    '`record_offset` BIGINT',
    '`record_timestamp` TIMESTAMP_LTZ(3)',
    ...(notesWatermarkAsItReads(pipeline) ? ['`watermark` TIMESTAMP_LTZ(3)'] : []),
  ]
}

/**
 * Whether the source itself says how far event time had come: it can where it is one instance. Else WITH_WATERMARK or WITH_LATEST does, to which every record
 * goes through a network buffer.
 */
export function notesWatermarkAsItReads({ parallelism, tables }: Pipeline): boolean {
  return parallelism === 1 && tables.length === 0
}

/** The columns of a copy of a record. */
export const copyColumns = [
  '`record_key` BYTES',
  '`record_value` BYTES',
  "`record_headers` MAP<STRING, BYTES> METADATA FROM 'headers'",
] as const

/** The value of a record as a row of the event type's fields, or NULL when it is malformed. */
export function decodedSql(type: EventType, value = '`record_value`'): string {
  return `DECODE_JSON(${value}, ${sql.text(rowType(type.fields))})`
}

/** The event time of a record, or NULL when it has none. */
export function eventTimeSql(type: EventType): string {
  const [field] = type.time === undefined ? [] : pointerTokens(type.time)
  if (field === undefined) return `PARSE_RFC3339(${headerSql('ce_time')})`
  return `${decodedSql(type)}.${sql.identifier(field)}`
}

/** The time by which a record is counted: as `minuteOf` of accounts has it, not by the record's value, which may be malformed. */
export const accountTimeSql = `COALESCE(${[eventTimeHeader, 'ce_time']
  .map((header) => `PARSE_RFC3339(${headerSql(header)})`)
  .join(', ')}, \`record_timestamp\`)`

/**
 * The column by which windows and watermarks go: never NULL, as Flink asks. What has no time, or one that is too far ahead, is before all others,
 * so it never moves the watermark.
 */
export function rowtimeSql(pipeline: Pipeline): string {
  const time = eventTimeSql(pipeline.from)
  return `CASE WHEN ${isTimelySql(pipeline, time)} THEN ${time} ELSE ${sql.instant(earliestTimeMs)} END`
}

/** Whether there is a time, and one that is not too far ahead of when the record was stored. */
export function isTimelySql({ watermark }: Pipeline, time: string): string {
  return watermark.futureBoundMs === undefined
    ? `${time} IS NOT NULL`
    : `${time} <= \`record_timestamp\` + ${sql.interval(watermark.futureBoundMs)}`
}

/** The record key of a result: the UTF-8 of its only group value, as the gateway writes keys. */
export function keySql(value: string, type: FieldType): string {
  return `ENCODE(${scalarTextSql(value, type)}, 'UTF-8')`
}

/** A scalar as JSON writes it, without quotes. */
export function scalarTextSql(value: string, type: FieldType): string {
  switch (type) {
    case 'string':
      return value
    case 'boolean':
      return `LOWER(CAST(${value} AS STRING))`
    case 'timestamp':
      return timestampTextSql(value)
    case 'number':
    case 'integer':
      return `CAST(${value} AS STRING)`
  }
}

/**
 * A TIMESTAMP or TIMESTAMP_LTZ in the form of JavaScript's `toISOString`. The session's time zone is UTC. `yyyy` would be the year of
 * an era, the same for 0000 and 0001.
 */
export function timestampTextSql(value: string): string {
  return `DATE_FORMAT(CAST(${value} AS TIMESTAMP(3)), ${sql.text("uuuu-MM-dd'T'HH:mm:ss.SSS'Z'")})`
}

/** A map of headers. */
export function headersSql(headers: HeaderExpressions): string {
  const entries = Object.entries(headers).map(([name, value]) => `    ${sql.text(name)}, ENCODE(${value}, 'UTF-8')`)
  return `MAP[\n${entries.join(',\n')}\n  ]`
}

/** The headers of a copy of a record: its own, then where it came from and what happened to it. */
export function copyHeadersSql(topic: string, added: HeaderExpressions): string {
  const origin: HeaderExpressions = {
    [deadLetterHeaders.topic]: sql.text(topic),
    [deadLetterHeaders.partition]: 'CAST(`record_partition` AS STRING)',
    [deadLetterHeaders.offset]: 'CAST(`record_offset` AS STRING)',
  }
  return `MAP_UNION(UNPACK_HEADERS(\`record_headers\`), ${headersSql({ ...added, ...origin })})`
}

/** Whether a record is for a reader of its topic: what was replayed for another was read here when it came first. */
export function isForSql(reader: string): string {
  const header = headerSql(replayForHeader)
  return `(${header} IS NULL OR DECODE(${header}, 'UTF-8') = ${sql.text(reader)})`
}

/** A header's value, or NULL where the record has none. */
function headerSql(name: string): string {
  return `HEADER(\`record_headers\`, ${sql.text(name)})`
}

function rowType(fields: Fields): string {
  const columns = Object.entries(fields).map(
    ([name, { type, nullable }]) => `${sql.identifier(name)} ${sqlTypes[type]}${nullable ? '' : ' NOT NULL'}`,
  )
  return `ROW<${columns.join(', ')}>`
}
