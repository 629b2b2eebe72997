import { backtest, type Comparison, comparedWith, type Difference, type TopicPart } from '@millrace/core/backtest'
import { timeOf } from '@millrace/core/cloud-event'
import { MillraceError } from '@millrace/core/errors'
import type { TableValues } from '@millrace/core/evaluate'
import type { WindowResult } from '@millrace/core/evaluate-windows'
import { isJsonValue, parsedJson } from '@millrace/core/json'
import type { Pipeline } from '@millrace/core/pipeline'
import { publishedResult } from '@millrace/core/published-result'
import type { PipelineRecord } from '@millrace/core/read-record'
import { openReader, type Reader, type ReadPosition, type StoredRecord } from '@millrace/kafka/reader'
import { loadDefinition } from '@millrace/service/definition'
import { runningInstallation } from './running.ts'
import type { RunningOptions } from './settings.ts'

export type BacktestOptions = RunningOptions & {
  readonly pipeline?: readonly string[]
  /** RFC 3339, or `earliest`. */
  readonly from: string
  readonly diff?: 'live'
}

/** What a pipeline of the file makes of what its topic holds. */
export type BacktestReport = {
  readonly pipeline: string
  readonly records: number
  readonly outcomes: Readonly<Record<string, number>>
  /** Windows that begin before it may hold what came before, and are left out. `null` when nothing came before. */
  readonly windowsFrom: string | null
  readonly results: readonly WindowResult[]
  readonly comparison: Comparison | undefined
}

/** All records of a run are in memory. */
const recordsMax = 1_000_000
const pageRecords = 5_000

/**
 * `millrace pipelines backtest <file>`: runs the pipelines of a definition in memory over what their topics hold. Nothing is written.
 * @throws MillraceError `config.invalid` when the file, a name or a time is none, and for more than a million records
 */
export async function backtestFile(file: string, options: BacktestOptions): Promise<[Pipeline, BacktestReport][]> {
  const { pipelines } = await loadDefinition(file)
  const { installation } = await runningInstallation(options)
  const position = positionOf(options.from)
  const chosen = chosenOf(pipelines, options.pipeline ?? [], file)
  const reader = openReader(await installation.kafkaConnection('admin'))
  try {
    const reports: [Pipeline, BacktestReport][] = []
    for (const one of chosen) reports.push([one, await backtestOf(reader, one, position, options.diff === 'live')])
    return reports
  } finally {
    await reader.close()
  }
}

function positionOf(from: string): ReadPosition {
  if (from === 'earliest') return from
  const timestampMs = timeOf(from)
  if (timestampMs !== undefined) return { timestampMs }
  throw new MillraceError(
    'config.invalid',
    `--from ${from} is no time: write it as in 2001-01-31T23:59:00Z, or "earliest"`,
  )
}

function chosenOf(pipelines: readonly Pipeline[], names: readonly string[], file: string): readonly Pipeline[] {
  const unknown = names.find((name) => !pipelines.some((one) => one.name === name))
  if (unknown !== undefined || pipelines.length === 0) {
    const there = pipelines.map(({ name }) => name).join(', ') || 'none'
    throw new MillraceError('config.invalid', `${file} has no pipeline ${unknown ?? ''}: it has ${there}`)
  }
  return names.length === 0 ? pipelines : pipelines.filter(({ name }) => names.includes(name))
}

async function backtestOf(
  reader: Reader,
  pipeline: Pipeline,
  position: ReadPosition,
  isCompared: boolean,
): Promise<BacktestReport> {
  const { from, result, tables } = pipeline
  const part = await partOf(reader, from.topic, position)
  const tested = backtest(pipeline, part, await tableValues(reader, tables))
  const outcomes: Record<string, number> = {}
  for (const outcome of tested.evaluation.outcomes) outcomes[outcome] = (outcomes[outcome] ?? 0) + 1
  const live = isCompared ? await allOf(reader, result.topic, await reader.offsetsAt(result.topic, position)) : []
  return {
    pipeline: pipeline.name,
    records: tested.evaluation.outcomes.length,
    outcomes,
    windowsFrom: Number.isFinite(tested.fromMs) ? new Date(tested.fromMs).toISOString() : null,
    results: tested.results,
    comparison: isCompared ? comparedWith(pipeline, tested, live.flatMap(valuesIn)) : undefined,
  }
}

async function partOf(reader: Reader, topic: string, position: ReadPosition): Promise<TopicPart> {
  const begin = await reader.offsetsAt(topic, position)
  const partitions = new Map([...begin.keys()].map((partition): [number, PipelineRecord[]] => [partition, []]))
  for (const record of await allOf(reader, topic, begin)) {
    partitions.get(record.partition)?.push({ ...record, offset: Number(record.offset) })
  }
  return { partitions, isWhole: [...begin.values()].every((offset) => offset === 0n) }
}

/** The newest values of the topics that are joined, by key. */
async function tableValues(reader: Reader, tables: Pipeline['tables']): Promise<TableValues> {
  const values = new Map<string, Map<string, Uint8Array>>()
  for (const { type } of tables) {
    const held = new Map<string, Uint8Array>()
    for (const { key, value } of await allOf(reader, type.topic, await reader.offsetsAt(type.topic, 'earliest'))) {
      if (value) held.set(String(key), value)
      else held.delete(String(key))
    }
    values.set(type.topic, held)
  }
  return values
}

/** What a topic holds from some offsets on to where it ends now. */
async function allOf(reader: Reader, topic: string, begin: ReadonlyMap<number, bigint>): Promise<StoredRecord[]> {
  const end = await reader.offsetsAt(topic, 'latest')
  const records: StoredRecord[] = []
  let from = begin
  for (;;) {
    const page = await reader.readPage(topic, from, pageRecords, end)
    if (page.found === 'nothing') throw new MillraceError('kafka.refused', `${topic} has other partitions than before`)
    from = page.next
    if (page.found === 'gap') continue // retention has taken them while it was read
    records.push(...page.records)
    if (page.atEnd) return records
    if (records.length > recordsMax) {
      throw new MillraceError('config.invalid', `${topic} holds more than ${recordsMax} records: choose a later --from`)
    }
  }
}

function valuesIn({ value }: StoredRecord) {
  const parsed = value === null ? undefined : parsedJson(String(value))
  return isJsonValue(parsed) ? [parsed] : []
}

/** For a person: what was read, and what would change. */
export function backtestText(reports: readonly (readonly [Pipeline, BacktestReport])[]): string {
  return reports.flatMap(([pipeline, report]) => reportLines(pipeline, report)).join('\n')
}

const linesMax = 20

function reportLines(pipeline: Pipeline, report: BacktestReport): string[] {
  const { outcomes, records, results, windowsFrom, comparison } = report
  const counts = Object.entries(outcomes).map(([outcome, events]) => `${events} ${outcome}`)
  return [
    `${pipeline.name}: ${records} records (${counts.join(', ') || 'none'}), ${results.length} windows have closed`,
    ...(windowsFrom === null ? [] : [`  windows before ${windowsFrom} are left out: they may hold what came before`]),
    ...(comparison ? comparisonLines(comparison) : resultLines(pipeline, results)),
  ]
}

function resultLines(pipeline: Pipeline, results: readonly WindowResult[]): string[] {
  const lines = results.map((result) => `  ${JSON.stringify(publishedResult(pipeline, result), withBigInts)}`)
  return [...lines.slice(0, linesMax), ...more(lines.length)]
}

function comparisonLines({ compared, differences }: Comparison): string[] {
  const verdict = differences.length === 0 ? 'nothing would change' : `${differences.length} would change`
  return [
    `  ${compared} windows compared with what was published: ${verdict}`,
    ...differences.slice(0, linesMax).map((difference) => `  ${differenceLine(difference)}`),
    ...more(differences.length),
  ]
}

function more(lines: number): string[] {
  return lines > linesMax ? [`  … and ${lines - linesMax} more: --json prints all`] : []
}

function differenceLine({ windowStart, windowEnd, group, kind, fields }: Difference): string {
  const what = { changed: '~', 'only-live': '-', 'only-backtest': '+' }[kind]
  const groups = Object.entries(group).map(([name, value]) => `${name}=${String(value ?? 'null')}`)
  const changes = Object.entries(fields).map(
    ([name, { live, backtest: other }]) =>
      `${name} ${kind === 'only-backtest' ? '' : String(live ?? 'null')}${kind === 'changed' ? ' → ' : ''}${kind === 'only-live' ? '' : String(other ?? 'null')}`,
  )
  return [what, windowStart, '–', windowEnd, ...groups, ':', changes.join(', ')].join(' ')
}

/** For a program: integers beyond the exact doubles are strings. */
export function backtestJson(reports: readonly (readonly [Pipeline, BacktestReport])[]): string {
  const plain = reports.map(([pipeline, { results, ...report }]) => ({
    ...report,
    results: results.map((result) => publishedResult(pipeline, result)),
  }))
  return JSON.stringify(plain, withBigInts)
}

function withBigInts(_name: string, value: unknown): unknown {
  return typeof value === 'bigint' ? String(value) : value
}
