/** Pipelines and what they read, by chance: of an event type with every kind of field, and streams as they should not be but are. */
import { average, count, countDistinct, first, last, max, min, quantile, sum } from '@millrace/core/aggregate'
import { evaluatePipeline, type PipelineInput } from '@millrace/core/evaluate'
import { eventType } from '@millrace/core/event-type'
import type { Column, Columns, Condition } from '@millrace/core/expression'
import { correct, drop, type Pipeline, pipeline } from '@millrace/core/pipeline'
import { type LatePolicy, session, sliding, tumbling, type Window } from '@millrace/core/window'
import fc from 'fast-check'

export type Case = {
  readonly pipeline: Pipeline
  readonly partitions: number
  readonly input: readonly PipelineInput[]
}

const reading = eventType('reading.taken', {
  schema: {
    type: 'object',
    properties: {
      name: { type: 'string' },
      place: { type: 'string' },
      number: { type: 'number' },
      level: { type: 'number' },
      whole: { type: 'integer' },
      units: { type: 'integer' },
      on: { type: 'boolean' },
      seen: { type: 'string', format: 'date-time' },
      at: { type: 'string', format: 'date-time' },
    },
    required: ['name', 'number', 'whole', 'on', 'at'],
  },
  key: '/name',
  time: '/at',
})
type Reading = Columns<typeof reading.fields>

/** Flink orders what is beyond the first 65 536 characters by UTF-16 or by UTF-8, as it has a text in memory: so nothing comes between. */
const texts = ['', 'a', 'A', 'b', 'é', '\u{1f600}', "d'Arc", 'null', '~'] as const
/** Sums of these are exact in any order. */
const numbers = [0, -0, 1, -1, 0.5, 2.25, -1024, 1048576.125] as const
const wholes = [
  '0',
  '-0',
  '1',
  '7',
  '-3',
  '1.0',
  '2e3',
  '9007199254740993',
  '9223372036854775807',
  '-9223372036854775808',
]
const timesOfDay = [
  '2030-01-01T00:00:00Z',
  '2030-01-01T01:00:00.5+00:30',
  '1969-12-31T23:59:59.999Z',
  '0001-01-01T00:00:00Z',
]

const comparisons = ['eq', 'ne', 'gt', 'gte', 'lt', 'lte'] as const

/** A comparison of a column with a literal or with another column of its type. */
function compared<Type extends 'string' | 'number' | 'integer' | 'boolean' | 'timestamp'>(
  columns: readonly ((event: Reading) => Column<Type>)[],
  literals: readonly Parameters<Column<Type>['eq']>[0][],
): fc.Arbitrary<(event: Reading) => Condition> {
  const operand = fc.oneof(
    fc.constantFrom(...literals).map((literal) => () => literal),
    fc.constantFrom(...columns),
  )
  return fc
    .record({ left: fc.constantFrom(...columns), comparison: fc.constantFrom(...comparisons), right: operand })
    .map(
      ({ left, comparison, right }) =>
        (event) =>
          left(event)[comparison](right(event)),
    )
}

const { condition } = fc.letrec<{ condition: (event: Reading) => Condition }>((tie) => ({
  condition: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    compared([(event) => event.name, (event) => event.place], texts),
    compared([(event) => event.number, (event) => event.level], [0, 0.5, -1e300, 1e21]),
    compared([(event) => event.whole, (event) => event.units], [0, 7, -3, 0.5, 2 ** 53 - 1, 2 ** 53, 2 ** 63]),
    compared([(event) => event.seen, (event) => event.at], timesOfDay),
    fc.constant((event: Reading) => event.on.eq(true)),
    fc.constantFrom(
      (event: Reading) => event.place.isNull(),
      (event: Reading) => event.units.isNull(),
    ),
    fc.tuple(tie('condition'), tie('condition')).map(
      ([one, other]) =>
        (event: Reading) =>
          one(event).and(other(event)),
    ),
    fc.tuple(tie('condition'), tie('condition')).map(
      ([one, other]) =>
        (event: Reading) =>
          one(event).or(other(event)),
    ),
    tie('condition').map((one) => (event: Reading) => one(event).not()),
  ),
}))

/** What is computed of the fields: exact in any order, or null. */
const computed = (event: Reading) => ({
  ratio: event.level.dividedBy(event.number),
  product: event.number.times(event.level),
  shifted: event.whole.plus(event.units).minus(7),
  mixed: event.units.times(event.number),
  scaled: event.level.times(0.25),
  half: event.units.dividedBy(2),
})
const computedNames = ['ratio', 'product', 'shifted', 'mixed', 'scaled', 'half'] as const

const groupings: readonly ((event: Reading) => Record<string, Column>)[] = [
  // Half of all, so that many events are in one window.
  ...Array.from({ length: 6 }, () => () => ({})),
  (event) => ({ name: event.name }),
  (event) => ({ place: event.place }),
  (event) => ({ on: event.on, units: event.units }),
  (event) => ({ seen: event.seen }),
  (event) => ({ number: event.number }),
  (event) => ({ whole: event.whole, level: event.level }),
]

const aggregates = (event: Reading) => ({
  names: countDistinct(event.name),
  numbers: countDistinct(event.number),
  unitsSeen: countDistinct(event.units),
  median: quantile(event.number, 0.5),
  highUnits: quantile(event.units, 0.9),
  firstName: first(event.name),
  lastPlace: last(event.place),
  firstSeen: first(event.seen),
  lastUnits: last(event.units),
  lastOn: last(event.on),
  events: count(),
  total: sum(event.number),
  levels: sum(event.level),
  wholes: sum(event.whole),
  allUnits: sum(event.units),
  mean: average(event.level),
  meanUnits: average(event.units),
  least: min(event.number),
  most: max(event.level),
  fewest: min(event.units),
  largest: max(event.whole),
})
const aggregateNames = [
  'names',
  'numbers',
  'unitsSeen',
  'median',
  'highUnits',
  'firstName',
  'lastPlace',
  'firstSeen',
  'lastUnits',
  'lastOn',
  'events',
  'total',
  'levels',
  'wholes',
  'allUnits',
  'mean',
  'meanUnits',
  'least',
  'most',
  'fewest',
  'largest',
] as const

const windows: readonly Window[] = [
  tumbling('1 second'),
  tumbling('7 seconds'),
  tumbling('1 minute'),
  tumbling('1 hour'),
  tumbling('1 day'),
  sliding('2 seconds', { every: '1 second' }),
  sliding('21 seconds', { every: '7 seconds' }),
  sliding('1 hour', { every: '15 minutes' }),
  session('1 second'),
  session('1 minute'),
]
const lates: readonly LatePolicy[] = [
  drop(),
  correct({ within: '1 millisecond' }),
  correct({ within: '1 hour' }),
  correct({ within: '2 days' }),
]
const disorders = ['1 millisecond', '1 second', '90 seconds', '1 hour'] as const
const futureBounds = ['1 second', '1 hour', '99 days', 'none'] as const

const pipelines: fc.Arbitrary<Pipeline> = fc
  .record({
    where: fc.option(condition, { nil: undefined, freq: 2 }),
    window: fc.constantFrom(...windows),
    late: fc.constantFrom(...lates),
    outOfOrderness: fc.constantFrom(...disorders),
    futureBound: fc.constantFrom(...futureBounds),
    grouping: fc.constantFrom(...groupings),
    names: fc.subarray([...aggregateNames], { minLength: 1, maxLength: 5 }),
    computedName: fc.constantFrom(...computedNames),
  })
  .map(({ where, window, late, outOfOrderness, futureBound, grouping, names, computedName }) => {
    const from = pipeline('by-chance').from(reading)
    return (where ? from.where(where) : from)
      .compute((event) => ({ computed: computed(event)[computedName] }))
      .where((event) => event.computed.ne(3).or(event.computed.isNull()))
      .window(window)
      .watermark({ outOfOrderness, futureBound })
      .late(window.kind === 'tumbling' ? late : drop())
      .groupBy(grouping)
      .aggregate((event) => {
        const all = aggregates(event)
        return {
          ...Object.fromEntries(names.map((name) => [name, all[name]])),
          most_computed: max(event.computed),
          computed: count(),
        }
      })
  })

const utf8 = new TextEncoder()
const earliestMs = Date.parse('0000-01-01T00:00:00Z')
const beginsMs = [Date.parse('2030-01-01T00:00:00Z'), -3_000, earliestMs + 1_000] as const

/**
 * The times of a stream go on, and back, by what matters to its pipeline: nothing, a window, the disorder that is tolerated, both, and a
 * millisecond more or less.
 */
function times({ window, watermark, late }: Pipeline, events: number): fc.Arbitrary<number[]> {
  const [sizeMs, everyMs] = extentOf(window)
  const keptMs = late.kind === 'correct' ? late.withinMs : 0
  const { outOfOrdernessMs } = watermark
  const step = fc.record({
    ms: fc.constantFrom(
      0,
      1,
      Math.ceil(sizeMs / 3),
      everyMs,
      sizeMs,
      outOfOrdernessMs,
      sizeMs + outOfOrdernessMs,
      sizeMs + outOfOrdernessMs + keptMs,
    ),
    sign: fc.constantFrom(1, 1, -1),
    jitter: fc.constantFrom(-2, -1, 0, 0, 0, 1),
    /** To what closes a window, or a millisecond before. */
    closing: fc.constantFrom(undefined, undefined, undefined, 0, -1),
  })
  const steps = fc.array(step, { minLength: events, maxLength: events })
  return fc.tuple(fc.constantFrom(...beginsMs), steps).map(([begin, all]) => {
    let ms = Math.floor(begin / sizeMs) * sizeMs
    return all.map((one) => {
      const next = ms + one.sign * one.ms
      const closing = Math.floor(next / everyMs) * everyMs - 1 + outOfOrdernessMs
      return (ms = Math.max(earliestMs, one.closing === undefined ? next + one.jitter : closing + one.closing))
    })
  })
}

function extentOf(window: Window): readonly [sizeMs: number, everyMs: number] {
  return window.kind === 'session' ? [window.gapMs, window.gapMs] : [window.sizeMs, window.everyMs]
}

const optional = (value: fc.Arbitrary<string>) => fc.option(value, { nil: 'null', freq: 3 })
const json = (values: readonly (string | number)[]) =>
  fc.constantFrom(...values.map((value) => (Object.is(value, -0) ? '-0.0' : JSON.stringify(value))))

const data = fc.record({
  name: json(texts),
  place: optional(json(texts)),
  number: json(numbers),
  level: optional(json(numbers)),
  whole: fc.constantFrom(...wholes),
  units: optional(fc.constantFrom(...wholes)),
  on: fc.constantFrom('true', 'false'),
  seen: optional(json(timesOfDay)),
  also: fc.constantFrom('{"at":1}', '[[]]', '"x"'),
})

const malformed: fc.Arbitrary<Uint8Array | null> = fc.oneof(
  fc.constant(null),
  fc.uint8Array({ maxLength: 12 }),
  fc.json({ maxDepth: 2 }).map((text) => utf8.encode(text)),
  fc
    .constantFrom('{"name":"a","number":1,"whole":1.5,"on":true,"at":"2030-01-01T00:00:00Z"}', '{"name":"\\ud800"}')
    .map((text) => utf8.encode(text)),
)

const addressees = [...Array.from({ length: 8 }, () => undefined), 'flink/by-chance', 'worker/other'] as const

function recordOf(atMs: number, fields: Readonly<Record<string, string>>): Uint8Array {
  const members = Object.entries({ ...fields, at: JSON.stringify(new Date(atMs).toISOString()) })
  return utf8.encode(`{${members.map(([name, text]) => `${JSON.stringify(name)}:${text}`).join()}}`)
}

type EventByChance = typeof event extends fc.Arbitrary<infer Value> ? Value : never

const event = fc.record({
  fields: data,
  broken: fc.oneof({ weight: 15, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: malformed }),
  addressee: fc.constantFrom(...addressees),
  partition: fc.nat(),
  /** How far its time is ahead of when it was stored: mostly not at all. */
  ahead: fc.constantFrom(...Array.from({ length: 7 }, () => -1), 0, 1),
  isIdle: fc.constantFrom(true, ...Array.from({ length: 11 }, () => false)),
})

/** When an event of that time was stored that is just within what the pipeline takes. A record's timestamp has no date before 1970. */
function storedMs(atMs: number, { watermark }: Pipeline): number {
  return atMs - (watermark.futureBoundMs ?? 0)
}

/** In the end all partitions have a record that moves event time on: windows of a stream that ends idle would stay open in Flink. */
function streams(read: Pipeline, partitions: number): fc.Arbitrary<PipelineInput[]> {
  const inputOf = (
    { fields, broken, addressee, partition, ahead, isIdle }: EventByChance,
    offset: number,
    atMs: number,
  ): PipelineInput => {
    if (isIdle) return { idlePartition: partition % partitions }
    return {
      partition: partition % partitions,
      offset,
      timestampMs: storedMs(atMs - ahead, read),
      headers: new Map(addressee === undefined ? [] : [['millrace_replay_for', addressee]]),
      value: broken === undefined ? recordOf(atMs, fields) : broken,
    }
  }
  const lasts = fc.array(data, { minLength: partitions, maxLength: partitions })
  return fc.tuple(fc.array(event, { minLength: 1, maxLength: 60, size: 'max' }), lasts).chain(([events, ends]) =>
    times(read, events.length).map((atMs) => {
      const endMs = Math.max(...atMs) + extentOf(read.window)[0] + read.watermark.outOfOrdernessMs
      return [
        ...events.map((one, index) => inputOf(one, index, atMs[index] ?? 0)),
        ...ends.map((fields, partition) => ({
          partition,
          offset: events.length + partition,
          timestampMs: endMs,
          headers: new Map(),
          value: recordOf(endMs, fields),
        })),
      ]
    }),
  )
}

/** So many pipelines, each with a topic of some partitions, as the seed decides. */
export function casesOf(seed: number, cases: number): Case[] {
  const one = fc
    .tuple(pipelines, fc.constantFrom(1, 1, 2, 3))
    .chain(([read, partitions]) => streams(read, partitions).map((input) => ({ pipeline: read, partitions, input })))
  return fc.sample(one, { seed, numRuns: cases })
}

/**
 * Pipelines and streams that have one result in whatever order several readers come to their partitions: without sessions, for whether one is joined
 * by an event at its very end is up to which of its end and the event comes first, and without averages of integers beyond the exact doubles.
 */
export function settledCasesOf(seed: number, cases: number): Case[] {
  return casesOf(seed, cases)
    .filter(({ pipeline: read }) => read.window.kind !== 'session' && !('meanUnits' in read.aggregates))
    .map((one) => ({ ...one, input: inTime(one) }))
}

/** The records that are not late in their own partition. */
function inTime({ pipeline: read, partitions, input }: Case): PipelineInput[] {
  const records = input.flatMap((next) => ('idlePartition' in next ? [] : [next]))
  const late = new Set<PipelineInput>()
  for (let partition = 0; partition < partitions; partition += 1) {
    const own = records.filter((next) => next.partition === partition)
    const strict: Pipeline = { ...read, window: tumbling('1 millisecond'), where: undefined, late: drop() }
    const { outcomes } = evaluatePipeline(
      strict,
      1,
      own.map((next) => ({ ...next, partition: 0 })),
    )
    own.forEach((next, index) => outcomes[index] === 'late' && late.add(next))
  }
  return records.filter((next) => !late.has(next))
}
