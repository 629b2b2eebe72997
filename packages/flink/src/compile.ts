import { createHash } from 'node:crypto'
import { deadLetterHeaders } from '@millrace/core/dead-letter'
import type { Pipeline } from '@millrace/core/pipeline'
import { deadLetterTopic } from '@millrace/core/topic-name'
import { pipelineCheckpoints } from './checkpoints.ts'
import type { FlinkEnvironment } from './environment.ts'
import { expressionSql } from './expression.ts'
import {
  copyColumns,
  copyHeadersSql,
  decodedSql,
  eventTimeSql,
  isForSql,
  recordColumns,
  rowtimeSql,
  timestampTextSql,
} from './records.ts'
import { insertResults, resultTable } from './results.ts'
import * as sql from './sql.ts'
import { createTable, keyedBy, sinkOptions, sourceOptions } from './tables.ts'

/** A pipeline as Flink SQL. */
export type CompiledPipeline = {
  readonly name: string
  /** Where its checkpoints are. */
  readonly checkpointDirectory: string
  /** SHA-256 of the statements: equal for equal jobs. The job carries it, so that an unchanged job is recognised. */
  readonly fingerprint: string
  /** To be run in this order in one session; the last one, a statement set, starts the job. */
  readonly statements: readonly string[]
}

/**
 * The Flink SQL of a pipeline: one job that reads the topic's bytes and sends every record to exactly one place: into a window, to
 * the late topic, to the dead letter topic, or (by the pipeline's filter) nowhere.
 * @throws RangeError when a name or literal of the pipeline cannot be written in SQL.
 */
export function compilePipeline(pipeline: Pipeline, environment: FlinkEnvironment): CompiledPipeline {
  const checkpointDirectory = pipelineCheckpoints(environment.checkpointDirectory, pipeline.name)
  const definition = [
    ...settings(pipeline, environment, checkpointDirectory),
    ...functions,
    ...tables(pipeline, environment),
    ...views(pipeline),
    statementSet(pipeline, environment),
  ]
  const fingerprint = createHash('sha256').update(definition.join('\0')).digest('hex')
  const parameter = sql.set('pipeline.global-job-parameters', `${fingerprintParameter}:${fingerprint}`)
  return { name: pipeline.name, checkpointDirectory, fingerprint, statements: [parameter, ...definition] }
}

export const fingerprintParameter = 'millrace.fingerprint'

const functions = [
  "CREATE TEMPORARY FUNCTION `DECODE_JSON` AS 'io.millrace.flink.DecodeJson'",
  "CREATE TEMPORARY FUNCTION `PARSE_RFC3339` AS 'io.millrace.flink.ParseRfc3339'",
  "CREATE TEMPORARY FUNCTION `WITH_WATERMARK` AS 'io.millrace.flink.WithWatermark'",
] as const

function settings(pipeline: Pipeline, environment: FlinkEnvironment, checkpointDirectory: string): string[] {
  const { lateTopic, watermark } = pipeline
  const { idlenessMs } = watermark
  return Object.entries({
    'pipeline.name': pipeline.name,
    'execution.checkpointing.dir': `file://${checkpointDirectory}`,
    'execution.checkpointing.interval': `${environment.checkpointIntervalMs} ms`,
    'execution.checkpointing.mode': 'EXACTLY_ONCE',
    'execution.checkpointing.externalized-checkpoint-retention': 'RETAIN_ON_CANCELLATION',
    'table.local-time-zone': 'UTC',
    // DECODE_JSON decodes a record once for all branches of the job, because all of them get the same array of bytes.
    'pipeline.object-reuse': true,
    'parallelism.default': 1,
    // Without an aggregation in front of it, the window operator gets events, and `numLateRecordsDropped` counts events.
    ...(lateTopic === undefined ? { 'table.optimizer.agg-phase-strategy': 'ONE_PHASE' } : {}),
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
        ...recordColumns,
        `\`rowtime\` AS ${rowtimeSql(from)}`,
        `WATERMARK FOR \`rowtime\` AS \`rowtime\` - ${sql.interval(watermark.outOfOrdernessMs)}`,
      ],
      options: sourceOptions(pipeline, environment),
    }),
    resultTable(pipeline, environment),
    copies('dead_letters', deadLetterTopic(from.topic)),
    ...(lateTopic === undefined ? [] : [copies('late_events', lateTopic)]),
  ]
}

function views(pipeline: Pipeline): string[] {
  const { name, from, where, window, lateTopic } = pipeline
  const windows = `TABLE(TUMBLE(TABLE \`events\`, DESCRIPTOR(\`rowtime\`), ${sql.interval(window.sizeMs)}))`
  const filter = where === undefined ? '' : ` AND ${expressionSql(where)}`
  const events = (source: string) =>
    view(
      'events',
      `SELECT * FROM ${sql.identifier(source)} WHERE \`event\` IS NOT NULL AND \`event_time\` IS NOT NULL${filter}`,
    )
  return [
    view(
      'decoded',
      `SELECT *, ${decodedSql(from)} AS \`event\`, ${eventTimeSql(from)} AS \`event_time\` FROM \`records\` WHERE ${isForSql(by(name))}`,
    ),
    ...(lateTopic === undefined
      ? [events('decoded'), view('windowed', `SELECT * FROM ${windows}`)]
      : [timed, events('timed'), view('windowed', `SELECT *, ${lateSql} AS \`late\` FROM ${windows}`)]),
  ]
}

/**
 * Every record and the watermark before it. What the filter takes out and what is malformed passes, too: it advances the
 * watermark of the windows, and an event that comes after it may be late because of it.
 */
const timed = view(
  'timed',
  'SELECT * FROM WITH_WATERMARK(`input` => TABLE `decoded`, `on_time` => DESCRIPTOR(`rowtime`))',
)

/**
 * Whether an event is late, by the very rule by which Flink's window operator would drop it: the watermark has reached the last
 * millisecond of the window. What is late goes round the windows, what is not goes into them, so each is in exactly one place.
 * This is exact because WITH_WATERMARK runs once, whatever the parallelism, and everything that the windows get passes through it.
 */
const lateSql = `COALESCE(CAST(\`window_end\` AS TIMESTAMP_LTZ(3)) - ${sql.interval(1)} <= \`watermark\`, FALSE)`

function view(name: string, query: string): string {
  return `CREATE TEMPORARY VIEW ${sql.identifier(name)} AS ${query}`
}

function statementSet(pipeline: Pipeline, environment: FlinkEnvironment): string {
  const inserts = [
    insertResults(pipeline, environment),
    insertDeadLetters(pipeline),
    ...(pipeline.lateTopic === undefined ? [] : [insertLate(pipeline)]),
  ]
  return `EXECUTE STATEMENT SET BEGIN\n${inserts.join('\n')}\nEND`
}

/** As whom a pipeline gives records up. */
function by(pipeline: string): string {
  return `flink/${pipeline}`
}

function insertDeadLetters({ name, from }: Pipeline): string {
  const headers = copyHeadersSql(from.topic, {
    [deadLetterHeaders.by]: sql.text(by(name)),
    [deadLetterHeaders.reason]: sql.text('malformed'),
    [deadLetterHeaders.detail]: `CASE WHEN \`event\` IS NULL THEN ${sql.text('the value is not JSON of its event type')} ELSE ${sql.text('the event has no time')} END`,
  })
  return `INSERT INTO \`dead_letters\` SELECT \`record_key\`, \`record_value\`, ${headers}
FROM \`decoded\` WHERE \`event\` IS NULL OR \`event_time\` IS NULL;`
}

function insertLate({ name, from }: Pipeline): string {
  const headers = copyHeadersSql(from.topic, {
    [lateHeaders.pipeline]: sql.text(name),
    [lateHeaders.windowEnd]: timestampTextSql('`window_end`'),
    [lateHeaders.watermark]: timestampTextSql('`watermark`'),
  })
  return `INSERT INTO \`late_events\` SELECT \`record_key\`, \`record_value\`, ${headers}
FROM \`windowed\` WHERE \`late\`;`
}

/** What a late event carries beside its own headers and its origin. */
const lateHeaders = {
  pipeline: 'millrace_pipeline',
  windowEnd: 'millrace_window_end',
  watermark: 'millrace_watermark',
} as const
