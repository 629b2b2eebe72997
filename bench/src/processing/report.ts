/** What the rounds came to: medians, and ratios taken within each round. */
import type { Machine } from '../machine.ts'
import { median } from '../median.ts'
import type { Cost, Run } from './measure.ts'
import type { WorkName } from './platform.ts'

/** Kafka Streams with as many threads as there are cores, and with one, as a pipeline's job has. */
export type SubjectName = 'flink' | 'streams' | 'streams-1'

export type Measurement = Run & { readonly round: number; readonly subject: SubjectName }

/** The medians of one subject at some works. */
export type Row = {
  readonly subject: SubjectName
  readonly works: readonly WorkName[]
  readonly eventsPerSecond: number
  readonly eventsPerCpuSecond: number
  readonly seconds: number
  readonly cpu: Cost['cpu']
  /** In the second half of the topic. */
  readonly eventsPerCpuSecondThen: number
  readonly brokersCpu: number
  /** From when it was told to begin. */
  readonly whole: { readonly seconds: number; readonly cpuSeconds: number }
  readonly memoryMbMax: number
}

/** Flink's number divided by the other's in the same round. */
export type Ratio = { readonly what: string; readonly median: number; readonly rounds: readonly number[] }

export type Report = {
  readonly date: string
  readonly machine: Machine
  readonly events: number
  readonly rounds: number
  /** What both JVMs were started with. */
  readonly jvm: readonly string[]
  readonly ratios: readonly Ratio[]
  readonly rows: readonly Row[]
  readonly measurements: readonly Measurement[]
}

export function reportOf(
  measurements: readonly Measurement[],
  { events, rounds, jvm }: Pick<Report, 'events' | 'rounds' | 'jvm'>,
  machine: Machine,
): Report {
  const groups = Map.groupBy(measurements, ({ subject, works }) => `${subject} ${works.join()}`)
  const rows = [...groups.values()].flatMap((measured) => rowOf(measured, events))
  return {
    date: new Date().toISOString().slice(0, 10),
    ...{ machine, events, rounds, jvm, ratios: ratiosOf(measurements), rows, measurements },
  }
}

function rowOf(measured: readonly Measurement[], events: number): Row[] {
  const [first] = measured
  if (!first) return []
  const medianOf = (numberOf: (one: Measurement) => number) => median(measured.map(numberOf))
  return [
    {
      subject: first.subject,
      works: first.works,
      eventsPerSecond: medianOf(({ running }) => events / running.seconds),
      eventsPerCpuSecond: medianOf(({ running }) => events / cpuSeconds(running)),
      seconds: medianOf(({ running }) => running.seconds),
      cpu: { user: medianOf(({ running }) => running.cpu.user), system: medianOf(({ running }) => running.cpu.system) },
      eventsPerCpuSecondThen: medianOf(({ secondHalf }) => events / 2 / cpuSeconds(secondHalf)),
      brokersCpu: medianOf(({ running }) => running.brokersCpu),
      whole: {
        seconds: medianOf(({ whole }) => whole.seconds),
        cpuSeconds: medianOf(({ whole }) => cpuSeconds(whole)),
      },
      memoryMbMax: medianOf(({ memoryBytesMax }) => memoryBytesMax / 1e6),
    },
  ]
}

function cpuSeconds({ cpu }: Cost): number {
  return cpu.user + cpu.system
}

function ratiosOf(measurements: readonly Measurement[]): Ratio[] {
  const own = 'events per CPU-second'
  const withBrokers = 'the same with the CPU time of the brokers'
  const running = ({ running: cost }: Measurement) => cpuSeconds(cost)
  const all = ({ running: cost }: Measurement) => cpuSeconds(cost) + cost.brokersCpu
  const secondHalf = ({ secondHalf: cost }: Measurement) => cpuSeconds(cost)
  const whole = ({ whole: cost }: Measurement) => cpuSeconds(cost)
  const each = (works: readonly WorkName[], other: SubjectName, numberOf: (one: Measurement) => number) =>
    against(measurements, works, other, numberOf)
  const names: readonly WorkName[] = ['tumbling', 'sliding']
  return [
    ...names.map((work) => ratio(`${work} windows: ${own}`, each([work], 'streams', running))),
    ratio(`both: ${own}, of two jobs against one program that reads the topic once`, each(names, 'streams', running)),
    ...names.map((work) =>
      ratio(`${work} windows, second half of the topic: ${own}`, each([work], 'streams', secondHalf)),
    ),
    ...names.map((work) => ratio(`${work} windows: ${withBrokers}`, each([work], 'streams', all))),
    ...names.map((work) => ratio(`${work} windows: with the start, ${own}`, each([work], 'streams', whole))),
    ...names.map((work) =>
      ratio(`${work} windows, one thread of Kafka Streams: ${own}`, each([work], 'streams-1', running)),
    ),
    ...names.map((work) =>
      ratio(
        `${work} windows, one thread: events per second`,
        each([work], 'streams-1', (one) => one.running.seconds),
      ),
    ),
  ].filter(({ rounds }) => rounds.length > 0)
}

/** How many times as much as Flink the other has taken for these works, by round; Flink takes them one by one. */
function against(
  measurements: readonly Measurement[],
  works: readonly WorkName[],
  other: SubjectName,
  numberOf: (one: Measurement) => number,
): number[] {
  const rounds = [...new Set(measurements.map(({ round }) => round))]
  return rounds.flatMap((round) => {
    const ofRound = measurements.filter((one) => one.round === round)
    const theirs = ofRound.find(({ subject, works: done }) => subject === other && done.join() === works.join())
    const ours = ofRound.filter(
      ({ subject, works: done }) => subject === 'flink' && done.every((name) => works.includes(name)),
    )
    if (!theirs || ours.length < works.length) return []
    return numberOf(theirs) / ours.reduce((sum, one) => sum + numberOf(one), 0)
  })
}

function ratio(what: string, rounds: readonly number[]): Ratio {
  return { what, median: median(rounds), rounds }
}
