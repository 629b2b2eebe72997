/** What the rounds came to: medians, and ratios held against their targets. */
import type { Machine } from '../machine.ts'
import { median } from '../median.ts'
import { batchEvents, type Mode } from './events.ts'
import type { LoadKind, Measurement } from './measure.ts'
import { type SubjectName, subjectNames } from './platform.ts'

export type Report = {
  readonly date: string
  readonly machine: Machine
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
  /** Null where it was as many as the subject takes. */
  readonly offeredPerSecond: number | null
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
  /** Null: there is none. */
  readonly target: string | null
  readonly reached: boolean | null
}

export function reportOf(
  measurements: readonly Measurement[],
  { rounds, seconds }: { readonly rounds: number; readonly seconds: number },
  machine: Machine,
): Report {
  const rows = subjectNames.flatMap((subject) =>
    (['single', 'batch'] as const).flatMap((mode) =>
      (['saturation', 'half'] as const).flatMap((kind) => rowOf(select(measurements, subject, mode, kind))),
    ),
  )
  const date = new Date().toISOString().slice(0, 10)
  return { date, machine, rounds, seconds, rows, ratios: ratiosOf(measurements), measurements }
}

export function select(
  measurements: readonly Measurement[],
  subject: SubjectName,
  mode: Mode,
  kind: LoadKind,
): Measurement[] {
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
      offeredPerSecond: first.offeredPerSecond === null ? null : medianOf((one) => one.offeredPerSecond ?? NaN),
      eventsPerSecond: medianOf((one) => one.eventsPerSecond),
      eventsPerCpuSecond: medianOf((one) => one.eventsPerCpuSecond),
      p50Ms: medianOf(({ latencyMs }) => latencyMs.p50),
      p95Ms: medianOf(({ latencyMs }) => latencyMs.p95),
      p99Ms: medianOf(({ latencyMs }) => latencyMs.p99),
      memoryMb: medianOf(({ memoryBytes }) => memoryBytes / 1e6),
      failures: sum(measured.map(({ failures }) => failures)),
      unsent: sum(measured.map(({ unsent }) => unsent)),
      cores: {
        user: medianOf(({ cores }) => cores.user),
        system: medianOf(({ cores }) => cores.system),
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
    ours: SubjectName = 'millrace',
  ): readonly number[] => {
    const others = byRound(other, mode, kind, numberOf)
    return [...byRound(ours, mode, kind, numberOf)].flatMap(([round, number]) => {
      const theirs = others.get(round)
      return theirs === undefined ? [] : number / theirs
    })
  }
  const single = (other: SubjectName) => against(other, 'single', 'saturation', perCpu)
  const batch = (other: SubjectName) => against(other, 'batch', 'saturation', perCpu)
  const beside = (format: 'avro' | 'protobuf', mode: Mode) =>
    against('millrace', mode, 'saturation', perCpu, `millrace-${format}`)
  const inBatches = `events per CPU-second in batches of ${batchEvents}`
  return [
    atLeast('single events per CPU-second, against Benthos', single('benthos'), 2),
    atLeast('single events per CPU-second, against the bare control', single('bare'), 0.85),
    atLeast('single events per CPU-second, against the validating control', single('validating'), 0.85),
    atLeast(inBatches, [...byRound('millrace', 'batch', 'saturation', perCpu).values()], 70_000),
    atMost('p95 at half load, against the client alone', against('direct', 'single', 'half', p95), 1.5),
    untargeted(
      'single events per CPU-second at half load, against the bare control',
      against('bare', 'single', 'half', perCpu),
    ),
    untargeted(`${inBatches}, against the client alone`, batch('direct')),
    untargeted(`${inBatches}, against the bare control`, batch('bare')),
    untargeted(`${inBatches}, against Benthos`, batch('benthos')),
    untargeted('single events per CPU-second in Avro, against JSON', beside('avro', 'single')),
    untargeted('single events per CPU-second in Protobuf, against JSON', beside('protobuf', 'single')),
    untargeted(`${inBatches} in Avro, against JSON`, beside('avro', 'batch')),
    untargeted(`${inBatches} in Protobuf, against JSON`, beside('protobuf', 'batch')),
  ].filter(({ rounds }) => rounds.length > 0)
}

function untargeted(what: string, rounds: readonly number[]): Ratio {
  return { what, median: median(rounds), rounds, target: null, reached: null }
}

function atLeast(what: string, rounds: readonly number[], bound: number): Ratio {
  return { what, median: median(rounds), rounds, target: `≥ ${bound}`, reached: median(rounds) >= bound }
}

function atMost(what: string, rounds: readonly number[], bound: number): Ratio {
  return { what, median: median(rounds), rounds, target: `≤ ${bound}`, reached: median(rounds) <= bound }
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}
