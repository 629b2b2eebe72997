/** What the rounds came to: medians, ratios, a table, a plot. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { batchEvents, type Mode } from './events.ts'
import type { LoadKind, Measurement } from './measure.ts'
import { benthosVersion } from './benthos.ts'
import { type SubjectName, subjectNames } from './platform.ts'
import { barChart } from './plot.ts'

export type Report = {
  readonly date: string
  readonly machine: { readonly cores: number; readonly node: string }
  readonly rounds: number
  readonly seconds: number
  readonly rows: readonly Row[]
  readonly ratios: readonly Ratio[]
  readonly measurements: readonly Measurement[]
}

/** The medians over all rounds of one subject under one load. */
export type Row = {
  readonly subject: SubjectName
  readonly mode: Mode
  readonly kind: LoadKind
  readonly eventsPerSecond: number
  readonly eventsPerCpuSecond: number
  readonly p50Ms: number
  readonly p95Ms: number
  readonly p99Ms: number
  readonly memoryMb: number
  readonly failures: number
  readonly unsent: number
  readonly cores: Measurement['cores']
}

/** The gateway's number divided by another's in the same round; the median of those. */
export type Ratio = {
  readonly what: string
  readonly median: number
  readonly rounds: readonly number[]
  readonly target: string
  readonly reached: boolean
}

const labels: Readonly<Record<SubjectName, string>> = {
  millrace: 'Millrace gateway, JSON',
  'millrace-avro': 'Millrace gateway, Avro',
  'millrace-protobuf': 'Millrace gateway, Protobuf',
  benthos: `Benthos ${benthosVersion}`,
  validating: 'node:http + schema',
  bare: 'bare node:http',
  direct: 'client alone',
}

export function reportOf(
  measurements: readonly Measurement[],
  { rounds, seconds }: { readonly rounds: number; readonly seconds: number },
  machine: { readonly cores: number },
): Report {
  const rows = subjectNames.flatMap((subject) =>
    (['single', 'batch'] as const).flatMap((mode) =>
      (['saturation', 'half'] as const).flatMap((kind) => rowOf(select(measurements, subject, mode, kind))),
    ),
  )
  const node = process.version
  const date = new Date().toISOString().slice(0, 10)
  return { date, machine: { ...machine, node }, rounds, seconds, rows, ratios: ratiosOf(measurements), measurements }
}

/** Writes the report's three files and returns its table. */
export async function writeReport(report: Report, directory: string): Promise<string> {
  const file = (ending: string) => join(directory, `${report.date}-ingest.${ending}`)
  const table = markdownOf(report)
  await writeFile(file('json'), `${JSON.stringify(report, rounded, 2)}\n`)
  await writeFile(file('md'), table)
  await writeFile(file('svg'), plotOf(report))
  return table
}

function select(measurements: readonly Measurement[], subject: SubjectName, mode: Mode, kind: LoadKind): Measurement[] {
  return measurements.filter((one) => one.subject === subject && one.mode === mode && one.kind === kind)
}

function rowOf(measured: readonly Measurement[]): Row[] {
  const [first] = measured
  if (!first) return []
  const medianOf = (numberOf: (one: Measurement) => number) => median(measured.map(numberOf))
  const { subject, mode, kind } = first
  return [
    {
      subject,
      mode,
      kind,
      eventsPerSecond: medianOf((one) => one.eventsPerSecond),
      eventsPerCpuSecond: medianOf((one) => one.eventsPerCpuSecond),
      p50Ms: medianOf(({ latencyMs }) => latencyMs.p50),
      p95Ms: medianOf(({ latencyMs }) => latencyMs.p95),
      p99Ms: medianOf(({ latencyMs }) => latencyMs.p99),
      memoryMb: medianOf(({ memoryBytes }) => memoryBytes / 1e6),
      failures: sum(measured.map(({ failures }) => failures)),
      unsent: sum(measured.map(({ unsent }) => unsent)),
      cores: {
        subject: medianOf(({ cores }) => cores.subject),
        generator: medianOf(({ cores }) => cores.generator),
        brokers: medianOf(({ cores }) => cores.brokers),
      },
    },
  ]
}

function ratiosOf(measurements: readonly Measurement[]): Ratio[] {
  const byRound = (subject: SubjectName, mode: Mode, kind: LoadKind, numberOf: (one: Measurement) => number) =>
    new Map(select(measurements, subject, mode, kind).map((one) => [one.round, numberOf(one)]))
  const perCpu = ({ eventsPerCpuSecond }: Measurement) => eventsPerCpuSecond
  const p95 = ({ latencyMs }: Measurement) => latencyMs.p95
  const against = (
    other: SubjectName,
    mode: Mode,
    kind: LoadKind,
    numberOf: (one: Measurement) => number,
  ): readonly number[] => {
    const others = byRound(other, mode, kind, numberOf)
    return [...byRound('millrace', mode, kind, numberOf)].flatMap(([round, ours]) => {
      const theirs = others.get(round)
      return theirs === undefined ? [] : ours / theirs
    })
  }
  const single = (other: SubjectName) => against(other, 'single', 'saturation', perCpu)
  return [
    atLeast('single events per CPU-second, against Benthos', single('benthos'), 2),
    atLeast('single events per CPU-second, against the bare control', single('bare'), 0.85),
    atLeast('single events per CPU-second, against the validating control', single('validating'), 0.85),
    atLeast(
      `events per CPU-second in batches of ${batchEvents}`,
      [...byRound('millrace', 'batch', 'saturation', perCpu).values()],
      70_000,
    ),
    atMost('p95 at half load, against the client alone', against('direct', 'single', 'half', p95), 1.5),
  ].filter(({ rounds }) => rounds.length > 0)
}

function atLeast(what: string, rounds: readonly number[], bound: number): Ratio {
  return { what, median: median(rounds), rounds, target: `≥ ${bound}`, reached: median(rounds) >= bound }
}

function atMost(what: string, rounds: readonly number[], bound: number): Ratio {
  return { what, median: median(rounds), rounds, target: `≤ ${bound}`, reached: median(rounds) <= bound }
}

export function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((one, other) => one - other)
  const middle = sorted.length / 2
  const upper = sorted[Math.floor(middle)] ?? NaN
  return Number.isInteger(middle) ? (upper + (sorted[middle - 1] ?? NaN)) / 2 : upper
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}

export function markdownOf(report: Report): string {
  const { machine, rounds, seconds } = report
  return [
    `# Taking events in, ${report.date}`,
    '',
    `${machine.cores} cores for everything: three brokers (TLS, SCRAM, three copies, two in sync), the subject and the load generator; Node ${machine.node}.`,
    `Medians of ${rounds} rounds in turns, ${seconds} s each. Absolute rates and latencies are this machine's, with whatever else ran on it; what can`,
    'be compared is events per CPU-second of the process under test, and the ratios within a round.',
    '',
    '## Against the targets',
    '',
    ...tableOf(
      ['what', 'median', 'rounds', 'target', ''],
      report.ratios.map((ratio) => [
        ratio.what,
        short(ratio.median),
        ratio.rounds.map(short).join(', '),
        ratio.target,
        ratio.reached ? 'reached' : '**missed**',
      ]),
    ),
    ...loads.flatMap(([title, mode, kind]) => section(title, report, mode, kind)),
    '',
    ...notes,
    '',
    `![events per CPU-second](./${report.date}-ingest.svg)`,
    '',
  ].join('\n')
}

const loads: readonly [string, Mode, LoadKind][] = [
  ['Single events, as fast as they are answered (64 connections)', 'single', 'saturation'],
  [`Batches of ${batchEvents}, as fast as they are answered (8 connections)`, 'batch', 'saturation'],
  ['Single events at half of what the gateway takes (open loop)', 'single', 'half'],
]

const notes: readonly string[] = [
  'Latencies count from when a request was due, not from when it was sent. Every subject gets the same bodies (structured CloudEvents, each with',
  'its own id, 1 000 keys) and writes to a topic of its own with 6 partitions, idempotent, acknowledged by all replicas in sync. The gateway',
  'checks the token, the envelope and the schema, and adds the CloudEvents headers. Everybody writes keyed records, so that all spread over the',
  'same partitions: Benthos by the key setting of its kafka_franz output, after it validated the same schema; the bare control finds the key',
  'by its first letters and does nothing else to a single event, while in batches it must parse. The client alone makes its load',
  'within its own process, so its CPU time includes that. "Cores busy": process under test / load generator / brokers.',
]

function section(title: string, { rows }: Report, mode: Mode, kind: LoadKind): string[] {
  const shown = rows.filter((row) => row.mode === mode && row.kind === kind)
  const columns = ['', 'events/s', 'per CPU-second', 'p50 ms', 'p95 ms', 'p99 ms', 'memory MB', 'failed', 'cores busy']
  const cells = shown.map((row) => [
    labels[row.subject],
    row.eventsPerSecond.toFixed(0),
    row.eventsPerCpuSecond.toFixed(0),
    row.p50Ms.toFixed(1),
    row.p95Ms.toFixed(1),
    row.p99Ms.toFixed(1),
    row.memoryMb.toFixed(0),
    String(row.failures + row.unsent),
    [row.cores.subject, row.cores.generator, row.cores.brokers].map((cores) => cores.toFixed(2)).join(' / '),
  ])
  return ['', `## ${title}`, '', ...tableOf(columns, cells)]
}

function tableOf(columns: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  return [line(columns), line(columns.map(() => '---')), ...rows.map(line)]
}

function plotOf({ rows, date, machine }: Report): string {
  const group = (title: string, mode: Mode, kind: LoadKind, valueOf: (row: Row) => number) => ({
    title,
    bars: rows
      .filter((row) => row.mode === mode && row.kind === kind)
      .map((row) => ({ label: labels[row.subject], value: valueOf(row), highlighted: row.subject === 'millrace' })),
  })
  return barChart(`Taking events in · ${date} · ${machine.cores} cores`, [
    group('single events per CPU-second', 'single', 'saturation', (row) => row.eventsPerCpuSecond),
    group(`events per CPU-second in batches of ${batchEvents}`, 'batch', 'saturation', (row) => row.eventsPerCpuSecond),
    group('p95 at half load, ms', 'single', 'half', (row) => row.p95Ms),
  ])
}

/** Three significant digits tell more than noise would. */
function short(number: number): string {
  return number >= 1_000 ? number.toFixed(0) : String(Number(number.toPrecision(3)))
}

function rounded(_key: string, value: unknown): unknown {
  return typeof value === 'number' ? Number(value.toPrecision(6)) : value
}
