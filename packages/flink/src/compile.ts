import { createHash } from 'node:crypto'
import { deadLetterHeaders } from '@millrace/core/dead-letter'
import { type Pipeline, pipelineReader } from '@millrace/core/pipeline'
import { deadLetterTopic } from '@millrace/core/topic-name'
import { accountTable, countedQuery, insertAccounts } from './accounts.ts'
import { pipelineCheckpoints } from './checkpoints.ts'
import type { FlinkEnvironment } from './environment.ts'
import { closedWindowsSql, hasOutcomeSql, lastWindowEndSql, outcomeSql } from './outcomes.ts'
import { timedViews } from './joins.ts'
import {
  accountTimeSql,
  copyColumns,
  copyHeadersSql,
  decodedSql,
  eventTimeSql,
  isForSql,
  notesWatermarkAsItReads,
  recordColumns,
  rowtimeSql,
  timestampTextSql,
} from './records.ts'
import { correctionSettings, countingSql, insertResults, resultTable, resultViews } from './results.ts'
import * as sql from './sql.ts'
import { createTable, keyedBy, sinkOptions, sourceOptions } from './tables.ts'

/** A pipeline as Flink SQL. */
export type CompiledPipeline = {
  readonly name: string
  /** Where its checkpoints are. */
  readonly checkpointDirectory: string
  /** SHA-256 of the statements: equal for equal jobs. The job carries it, so that an unchanged job is recognised. */
  readonly fingerprint: string
  /** SHA-256 of what it reads and how it counts: what a job has counted is of use only to one in which this is the same. */
  readonly counting: string
  /** To be run in this order in one session; the last one, a statement set, starts the job. */
  readonly statements: readonly string[]
}

/**
 * The Flink SQL of a pipeline: one job that reads the topic's bytes, gives every record exactly one outcome and sends it where that says:
 * into a window, to the late topic, to the dead letter topic, or nowhere. It accounts for all of them.
 * @throws RangeError when a name or literal of the pipeline cannot be written in SQL.
 */
export function compilePipeline(pipeline: Pipeline, environment: FlinkEnvironment): CompiledPipeline {
  const checkpointDirectory = pipelineCheckpoints(environment.checkpointDirectory, pipeline.name)
  const definition = [
    ...settings(pipeline, checkpointDirectory),
    ...functions,
    ...(pipeline.tables.length > 0 ? [withLatest] : []),
    ...tables(pipeline, environment),
    ...views(pipeline, environment),
    statementSet(pipeline, environment),
  ]
  const fingerprint = sha256(definition)
  const counting = sha256([
    pipeline.from.topic,
    ...pipeline.tables.map(({ type }) => type.topic),
    countingSql(pipeline),
  ])
  const parameter = sql.set('pipeline.global-job-parameters', `${fingerprintParameter}:${fingerprint}`)
  return { name: pipeline.name, checkpointDirectory, fingerprint, counting, statements: [parameter, ...definition] }
}

function sha256(parts: readonly string[]): string {
  return createHash('sha256').update(parts.join('\0')).digest('hex')
}

export const fingerprintParameter = 'millrace.fingerprint'

const functions = [
  "CREATE TEMPORARY FUNCTION `DECODE_JSON` AS 'io.millrace.flink.DecodeJson'",
  "CREATE TEMPORARY FUNCTION `PARSE_RFC3339` AS 'io.millrace.flink.ParseRfc3339'",
  "CREATE TEMPORARY FUNCTION `WITH_WATERMARK` AS 'io.millrace.flink.WithWatermark'",
  "CREATE TEMPORARY FUNCTION `LAST_WINDOW_END` AS 'io.millrace.flink.LastWindowEnd'",
  "CREATE TEMPORARY FUNCTION `CLOSED_WINDOWS` AS 'io.millrace.flink.ClosedWindows'",
  "CREATE TEMPORARY FUNCTION `FINITE` AS 'io.millrace.flink.Finite'",
  "CREATE TEMPORARY FUNCTION `FIRST_BY_TIME` AS 'io.millrace.flink.FirstByTime'",
  "CREATE TEMPORARY FUNCTION `LAST_BY_TIME` AS 'io.millrace.flink.LastByTime'",
  "CREATE TEMPORARY FUNCTION `HEADER` AS 'io.millrace.flink.Header'",
  "CREATE TEMPORARY FUNCTION `UNPACK_HEADERS` AS 'io.millrace.flink.UnpackHeaders'",
  "CREATE TEMPORARY FUNCTION `OFFSET_RANGES` AS 'io.millrace.flink.OffsetRanges'",
] as const

const withLatest = "CREATE TEMPORARY FUNCTION `WITH_LATEST` AS 'io.millrace.flink.WithLatest'"

function settings(pipeline: Pipeline, checkpointDirectory: string): string[] {
  const { idlenessMs } = pipeline.watermark
  return Object.entries({
    'pipeline.name': pipeline.name,
    'execution.checkpointing.dir': `file://${checkpointDirectory}`,
    'execution.checkpointing.interval': `${pipeline.commitEveryMs} ms`,
    'execution.checkpointing.mode': 'EXACTLY_ONCE',
    'execution.checkpointing.externalized-checkpoint-retention': 'RETAIN_ON_CANCELLATION',
    'table.local-time-zone': 'UTC',
    // DECODE_JSON decodes a record once for all branches of the job, because all of them get the same array of bytes.
    'pipeline.object-reuse': true,
    // In two phases the first loses what is in windows before 1970: it takes their watermarks for old ones and does not flush (Flink 2.3.0).
    'table.optimizer.agg-phase-strategy': 'ONE_PHASE',
    ...correctionSettings(pipeline),
    'parallelism.default': pipeline.parallelism,
    ...(idlenessMs === undefined ? {} : { 'table.exec.source.idle-timeout': `${idlenessMs} ms` }),
  }).map(([option, value]) => sql.set(option, value))
}

function tables(pipeline: Pipeline, environment: FlinkEnvironment): string[] {
  const { from, watermark, lateTopic } = pipeline
  const copies = (name: string, topic: string): string =>
    createTable({
      name,
      columns: copyColumns,
      options: { ...sinkOptions(pipeline, environment, topic, name), ...keyedBy, 'value.format': 'raw' },
    })
  return [
    createTable({
      name: 'records',
      columns: [
        ...recordColumns(pipeline),
        `\`rowtime\` AS ${rowtimeSql(pipeline)}`,
        `WATERMARK FOR \`rowtime\` AS \`rowtime\` - ${sql.interval(watermark.outOfOrdernessMs)}`,
      ],
      options: sourceOptions(pipeline, environment),
    }),
    resultTable(pipeline, environment),
    accountTable(pipeline, environment),
    copies('dead_letters', deadLetterTopic(from.topic)),
    ...(lateTopic === undefined ? [] : [copies('late_events', lateTopic)]),
  ]
}

function views(pipeline: Pipeline, environment: FlinkEnvironment): string[] {
  return [
    view('decoded', decodedRecords(pipeline)),
    ...timedViews(pipeline, environment).map(({ name, query }) => view(name, query)),
    view('judged', `SELECT *, ${outcomeSql(pipeline)} AS \`outcome\`\nFROM \`timed\``),
    ...resultViews(pipeline).map(({ name, query }) => view(name, query)),
    view('counted', countedQuery),
  ]
}

/** What all branches of the job need of a record. */
function decodedRecords(pipeline: Pipeline): string {
  const { name, from } = pipeline
  const columns = [
    '`record_key`',
    '`record_value`',
    '`record_headers`',
    '`record_partition`',
    '`record_offset`',
    '`record_timestamp`',
    ...(notesWatermarkAsItReads(pipeline) ? ['`watermark`'] : []),
    '`rowtime`',
    `${isForSql(pipelineReader(name))} AS \`is_addressed\``,
    `${accountTimeSql} AS \`account_time\``,
    `${decodedSql(from)} AS \`event\``,
    `${eventTimeSql(from)} AS \`event_time\``,
  ]
  return `SELECT\n  ${columns.join(',\n  ')}\nFROM \`records\``
}

function view(name: string, query: string): string {
  return `CREATE TEMPORARY VIEW ${sql.identifier(name)} AS ${query}`
}

function statementSet(pipeline: Pipeline, environment: FlinkEnvironment): string {
  const inserts = [
    insertResults(pipeline, environment),
    insertAccounts,
    insertDeadLetters(pipeline),
    ...(pipeline.lateTopic === undefined ? [] : [insertLate(pipeline)]),
  ]
  return `EXECUTE STATEMENT SET BEGIN\n${inserts.join('\n')}\nEND`
}

/** A text for what is not of its type, for what has no time, and for what is too far ahead. */
function chosen(notOfType: string, timeless: string, ahead: string): string {
  return `CASE WHEN \`event\` IS NULL THEN ${sql.text(notOfType)} WHEN \`event_time\` IS NULL THEN ${sql.text(timeless)} ELSE ${sql.text(ahead)} END`
}

function insertDeadLetters({ name, from }: Pipeline): string {
  const headers = copyHeadersSql(from.topic, {
    [deadLetterHeaders.by]: sql.text(pipelineReader(name)),
    [deadLetterHeaders.reason]: chosen('malformed', 'malformed', 'too-far-ahead'),
    [deadLetterHeaders.detail]: chosen(
      'the value is not JSON of its event type',
      'the event has no time',
      'the time of the event is further ahead of when it was stored than the pipeline takes',
    ),
  })
  return `INSERT INTO \`dead_letters\` SELECT \`record_key\`, \`record_value\`, ${headers}
FROM \`judged\` WHERE ${hasOutcomeSql('dead-lettered')};`
}

/** What has missed windows: all of its own, or some that slide. */
function insertLate({ name, from, window }: Pipeline): string {
  const isSliding = window.kind === 'sliding'
  const headers = copyHeadersSql(from.topic, {
    [lateHeaders.pipeline]: sql.text(name),
    [lateHeaders.windowEnd]: timestampTextSql(lastWindowEndSql(window)),
    ...(isSliding ? { [lateHeaders.missed]: `CAST(${closedWindowsSql(window)} AS STRING)` } : {}),
    [lateHeaders.watermark]: timestampTextSql('`watermark`'),
  })
  const some = isSliding ? ` OR ${hasOutcomeSql('processed')} AND ${closedWindowsSql(window)} > 0` : ''
  return `INSERT INTO \`late_events\` SELECT \`record_key\`, \`record_value\`, ${headers}
FROM \`judged\` WHERE ${hasOutcomeSql('late')}${some};`
}

/** What a late event carries beside its own headers and its origin. */
const lateHeaders = {
  pipeline: 'millrace_pipeline',
  /** The end of the last of its windows. */
  windowEnd: 'millrace_window_end',
  /** How many of its windows, the first ones, were closed; of those that slide. */
  missed: 'millrace_missed_windows',
  watermark: 'millrace_watermark',
} as const
