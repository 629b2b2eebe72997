/** What a person reads of pipelines. */
import { transactionTimeoutMs } from '@millrace/flink/tables'
import type { PipelineState } from './pipeline-state.ts'
import type { RestartAnswer, Shown, StopAnswer } from './pipelines.ts'

/** What is not known. */
const unknown = '–'

export function pipelineTable(states: readonly PipelineState[]): string {
  if (states.length === 0) return 'the definition has no pipelines'
  const heads = ['', 'state', 'since', 'watermark', 'lag', 'checkpoint', 'in', 'results', 'filtered', 'late', 'dead']
  const rows = states.map((one) => [
    one.name,
    one.state,
    shown(one.since),
    shown(one.watermark),
    shown(one.lag),
    checkpointText(one),
    ...[one.records?.in, one.records?.results, one.records?.filtered, one.records?.late].map(shown),
    shown(one.records?.deadLettered),
    shown(one.backpressure),
    `${one.from} → ${one.to}`,
  ])
  return aligned([[...heads, 'backpressure', 'topics'], ...rows])
}

/** Everything that is known of one. */
export function pipelineText(one: Shown): string {
  const { records, checkpoints, lastFailure, partitions } = one
  const facts: [string, string][] = [
    ['state', one.since === undefined ? one.state : `${one.state} since ${one.since}`],
    ['topics', `${one.from} → ${one.to}`],
    ['parallelism', shown(one.parallelism)],
    ['watermark', shown(one.watermark)],
    ['lag', shown(one.lag)],
    ...Object.entries(records ?? {}).map(([name, count]): [string, string] => [words[name] ?? name, shown(count)]),
    ['backpressure', shown(one.backpressure)],
    ['checkpoints', checkpoints ? `${checkpoints.completed}, and ${checkpoints.failed} failed` : unknown],
    ['newest', checkpointText(one)],
    ...(checkpoints?.newest ? [['', `${checkpoints.newest.bytes} bytes in ${checkpoints.newest.path}`] as const] : []),
    ['restarts', shown(one.restarts)],
    ['last failure', lastFailure ? `${lastFailure.at}  ${lastFailure.reason}` : 'none'],
  ].map(([name = '', fact = '']) => [name, fact])
  const places = partitions.map(({ partition, lag, watermark }) => [String(partition), String(lag), shown(watermark)])
  return [
    one.name,
    aligned(facts.map(([name, fact]) => [`  ${name}`, fact])),
    aligned([
      ['  partition', 'lag', 'watermark'],
      ...places.map(([partition = '', ...rest]) => [`  ${partition}`, ...rest]),
    ]),
    ...(one.sql === undefined ? [] : ['', `${one.sql.join(';\n\n')};`]),
  ].join('\n')
}

const words: Readonly<Record<string, string>> = { deadLettered: 'dead letters', notAddressed: 'not for it' }

export function stopSentence({ name, ran, savepoint }: StopAnswer): string {
  const again = `"millrace pipelines restart ${name}" or "millrace apply" starts it again where it was`
  if (!ran) return `${name} did not run, and stays stopped: ${again}`
  if (savepoint !== undefined) return `${name} is stopped with a savepoint (${savepoint}): ${again}`
  const minutes = transactionTimeoutMs / 60_000
  return `${name} is stopped. It could make no savepoint, and goes on from its newest checkpoint: ${again}. Do that within ${minutes} minutes, after which Kafka drops the results that it was just committing`
}

export function restartSentence({ name, jobId, anewFrom, restoredFrom }: RestartAnswer): string {
  const runs = `${name} runs as job ${jobId}`
  if (anewFrom !== undefined) {
    return `${runs}, from the beginning of ${anewFrom}: what it makes of all that the topic still holds (results, late events, dead letters) is published again`
  }
  return restoredFrom === undefined
    ? `${runs}, from the beginning: it had no checkpoint`
    : `${runs}, from ${restoredFrom}`
}

function checkpointText({ checkpoints }: PipelineState): string {
  const newest = checkpoints?.newest
  return newest ? `${(newest.ageMs / 1_000).toFixed(1)} s ago, took ${newest.durationMs} ms` : unknown
}

function shown(value: string | number | undefined): string {
  return value === undefined ? unknown : String(value)
}

/** Columns, each as wide as its longest cell. */
function aligned(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}
