import type { Aggregate } from './aggregate.ts'
import { type Duration, milliseconds } from './duration.ts'
import type { EventType } from './event-type.ts'
import {
  type Column,
  type Columns,
  columnsOf,
  type Condition,
  type Expression,
  extended,
  tableColumnsOf,
} from './expression.ts'
import { type Field, type Fields, fieldsOf, type FieldType } from './field.ts'
import { type JsonObject, type JsonPointer, pointerOf, pointerTokens } from './json.ts'
import { lateTopic, nameViolation } from './topic-name.ts'
import type { BeyondPolicy, LatePolicy, Window } from './window.ts'

/** How far event time has come: the greatest event time seen in every partition, less the tolerated disorder. */
export type WatermarkPolicy = {
  readonly outOfOrderness: Duration
  /** After how long without an event a partition is left out. Absent: never. */
  readonly idleness?: Duration
  /**
   * How far an event's time may be ahead of when it was stored. One that is further ahead is a dead letter and does not move event time,
   * which nothing could move back.
   * @default '1 hour'
   */
  readonly futureBound?: Duration | 'none'
}
export type Watermark = {
  readonly outOfOrdernessMs: number
  readonly idlenessMs: number | undefined
  readonly futureBoundMs: number | undefined
}

const futureBoundDefault: Duration = '1 hour'

/** It is counted, and nothing else. */
export function drop(): BeyondPolicy {
  return { kind: 'drop' }
}
/** It goes, as it is, to a topic of its own. */
export function toTopic(): BeyondPolicy {
  return { kind: 'to-topic' }
}
/**
 * Each event that is late by no more than `within` revises the result of its window: a further result, with a greater revision, that replaces
 * those before it. For tumbling windows.
 * @public
 */
export function correct({
  within,
  beyond = drop(),
}: {
  readonly within: Duration
  /** What happens to one that is later. */
  readonly beyond?: BeyondPolicy
}): LatePolicy {
  return { kind: 'correct', withinMs: milliseconds(within), beyond }
}

/** A type whose newest event of each key is joined to the events of a pipeline. */
export type JoinedTable = {
  readonly type: EventType
  /** Of the event at hand: the key of the table's. */
  readonly by: Column<TableKey>
}
type TableKey = 'string' | 'integer'

/** How a pipeline runs; its results are the same. */
type PipelineOptions = {
  /**
   * Into how many instances, side by side, its job is divided: each reads partitions of its own and has groups of its own. From 1 to 128, and no
   * more than the event type has partitions.
   * @default 1
   */
  readonly parallelism?: number
  /**
   * How often it commits what it has published, and with it lets it be read: the latency that exactly-once adds, and a transaction for each of its
   * topics, which costs the brokers. From 100 milliseconds to a minute.
   * @default '400 milliseconds'
   */
  readonly commitEvery?: Duration
}
const commitEveryMsMin = 100
const commitEveryMsMax = 60_000
const parallelismMax = 128

export type Pipeline<Result extends Fields = Fields> = {
  readonly kind: 'pipeline'
  readonly name: string
  readonly parallelism: number
  readonly commitEveryMs: number
  readonly from: EventType
  readonly tables: readonly JoinedTable[]
  readonly where: Expression | undefined
  readonly window: Window
  readonly watermark: Watermark
  readonly late: LatePolicy
  /** The topic of late events, where the policy keeps them. */
  readonly lateTopic: string | undefined
  readonly groupBy: Readonly<Record<string, Column>>
  readonly aggregates: Readonly<Record<string, Aggregate>>
  /** What the pipeline publishes: an event type like any other. */
  readonly result: EventType<Result>
}

type Grouping = Readonly<Record<string, Column>>
type Aggregates = Readonly<Record<string, Aggregate>>
type WindowFields = {
  readonly windowStart: { readonly type: 'timestamp'; readonly nullable: false }
  readonly windowEnd: { readonly type: 'timestamp'; readonly nullable: false }
}
type ResultFields<G extends Grouping, A extends Aggregates> = WindowFields & {
  readonly [Name in keyof G]: G[Name]['field']
} & { readonly [Name in keyof A]: { readonly type: A[Name]['type']; readonly nullable: boolean } }

type Computed<F extends Fields, C extends Grouping> = F & { readonly [Name in keyof C]: C[Name]['field'] }
type Joined<F extends Fields, C extends Grouping> = F & {
  readonly [Name in keyof C]: { readonly type: C[Name]['type']; readonly nullable: true }
}

type Read = {
  readonly name: string
  readonly parallelism: number
  readonly commitEveryMs: number
  readonly from: EventType
  readonly tables: readonly JoinedTable[]
}
type Draft = Read & {
  readonly where: Expression | undefined
  readonly window: Window
  readonly watermark: Watermark
  readonly late: LatePolicy
}

/** The steps of a pipeline in the order in which they are written; each returns the next. */
export type Start = { from<F extends Fields>(source: EventType<F>): Sourced<F> }
export type Sourced<F extends Fields> = {
  /**
   * Adds fields of the newest event of another type, a compacted one, that has a key: null where there is none. It is the newest one when the
   * event is processed: what comes later changes no result.
   */
  joinLatest<T extends Fields, C extends Grouping>(
    table: EventType<T>,
    join: { readonly by: (event: Columns<F>) => Column<TableKey>; readonly take: (latest: Columns<T>) => C },
  ): Sourced<Joined<F, C>>
  /** Adds fields that are computed of others, for all that follows. */
  compute<C extends Grouping>(columns: (event: Columns<F>) => C): Sourced<Computed<F, C>>
  where(condition: (event: Columns<F>) => Condition): Sourced<F>
  window(window: Window): Windowed<F>
}
export type Windowed<F extends Fields> = { watermark(policy: WatermarkPolicy): Timed<F> }
export type Timed<F extends Fields> = {
  late(policy: LatePolicy): Timed<F>
  groupBy<G extends Grouping>(columns: (event: Columns<F>) => G): Grouped<F, G>
}
export type Grouped<F extends Fields, G extends Grouping> = {
  aggregate<A extends Aggregates>(aggregates: (event: Columns<F>) => A): Pipeline<ResultFields<G, A>>
}

/**
 * Declares a pipeline: events of one type, grouped in event-time windows, aggregated to a result event per window and group.
 * @throws RangeError when its name is reserved or malformed, an option out of bounds, or a result field named twice.
 */
export function pipeline(
  name: string,
  { parallelism = 1, commitEvery = '400 milliseconds' }: PipelineOptions = {},
): Start {
  const violation = nameViolation(name)
  if (violation) throw new RangeError(`pipeline "${name}" ${violation}`)
  if (!Number.isInteger(parallelism) || parallelism < 1 || parallelism > parallelismMax) {
    throw new RangeError(`pipeline "${name}": parallelism is a whole number from 1 to ${parallelismMax}`)
  }
  const commitEveryMs = milliseconds(commitEvery)
  if (commitEveryMs < commitEveryMsMin || commitEveryMs > commitEveryMsMax) {
    throw new RangeError(`pipeline "${name}": commitEvery is from 100 milliseconds to 1 minute, not ${commitEvery}`)
  }
  return {
    from: (source) => {
      requireJson(name, source)
      if (parallelism > source.partitions) {
        throw new RangeError(
          `pipeline "${name}": of ${parallelism} instances some had none of the ${source.partitions} partitions of ${source.name}, and would hold event time up: lower its parallelism, or give the event type more partitions`,
        )
      }
      return sourced(
        { name, parallelism, commitEveryMs, from: source, tables: [] },
        columnsOf(source.fields),
        undefined,
      )
    },
  }
}

function requireJson(name: string, source: EventType): void {
  if (source.format === 'json') return
  throw new RangeError(`pipeline "${name}": ${source.name} is in ${source.format}: only JSON can be read`)
}

function sourced<F extends Fields>(read: Read, columns: Columns<F>, where: Expression | undefined): Sourced<F> {
  return {
    joinLatest: (type, { by, take }) => {
      const key = by(columns)
      requireTable(read.name, type, key)
      const taken = take(tableColumnsOf(type.fields, read.tables.length))
      return sourced({ ...read, tables: [...read.tables, { type, by: key }] }, extended(columns, taken), where)
    },
    compute: (added) => sourced(read, extended(columns, added(columns)), where),
    where: (condition) => {
      const added = condition(columns).expression
      return sourced(read, columns, where ? { kind: 'and', operands: [where, added] } : added)
    },
    window: (window) => ({
      watermark: ({ outOfOrderness, idleness, futureBound = futureBoundDefault }) =>
        timed(columns, {
          ...read,
          where,
          window,
          watermark: {
            outOfOrdernessMs: milliseconds(outOfOrderness),
            idlenessMs: idleness && milliseconds(idleness),
            futureBoundMs: futureBound === 'none' ? undefined : milliseconds(futureBound),
          },
          late: drop(),
        }),
    }),
  }
}

function requireTable(pipeline: string, table: EventType, by: Column): void {
  requireJson(pipeline, table)
  if (!table.compacted || table.key === undefined) {
    throw new RangeError(
      `pipeline "${pipeline}" joins the newest events of "${table.name}", whose topic does not keep them: declare it with compacted: true`,
    )
  }
  const [name = ''] = pointerTokens(table.key)
  const type = table.fields[name]?.type
  if (type !== by.type || (type !== 'string' && type !== 'integer')) {
    throw new RangeError(
      `pipeline "${pipeline}" joins "${table.name}", whose key is of the type ${type}, by one of the type ${by.type}: both must be strings, or both integers`,
    )
  }
}

function timed<F extends Fields>(columns: Columns<F>, draft: Draft): Timed<F> {
  return {
    late: (policy) => timed(columns, { ...draft, late: policy }),
    groupBy: (groups) => {
      const groupBy = groups(columns)
      return { aggregate: (aggregates) => finished(draft, groupBy, aggregates(columns)) }
    },
  }
}

function finished<G extends Grouping, A extends Aggregates>(
  draft: Draft,
  groupBy: G,
  aggregates: A,
): Pipeline<ResultFields<G, A>> {
  const names = ['windowStart', 'windowEnd', ...Object.keys(groupBy), ...Object.keys(aggregates)]
  const twice = names.find((name, index) => names.indexOf(name) !== index)
  if (twice) throw new RangeError(`pipeline "${draft.name}" names the result field "${twice}" twice`)
  if (draft.late.kind === 'correct' && draft.window.kind !== 'tumbling') {
    throw new RangeError(`pipeline "${draft.name}" corrects ${draft.window.kind} windows: only tumbling ones can be`)
  }
  const beyond = draft.late.kind === 'correct' ? draft.late.beyond : draft.late
  return {
    ...draft,
    kind: 'pipeline',
    lateTopic: beyond.kind === 'to-topic' ? lateTopic(draft.name) : undefined,
    groupBy,
    aggregates,
    result: resultType(draft, groupBy, aggregates),
  }
}

function resultType<G extends Grouping, A extends Aggregates>(
  draft: Draft,
  groupBy: G,
  aggregates: A,
): EventType<ResultFields<G, A>> {
  const fields: Record<string, Field> = {
    ...Object.fromEntries(Object.entries(groupBy).map(([name, column]) => [name, column.field])),
    windowStart: { type: 'timestamp', nullable: false },
    windowEnd: { type: 'timestamp', nullable: false },
    ...Object.fromEntries(Object.entries(aggregates).map(([name, { type, nullable }]) => [name, { type, nullable }])),
  }
  const schema = resultSchema(draft.name, fields)
  const [key, ...otherKeys] = Object.keys(groupBy)
  return {
    kind: 'event-type',
    name: draft.name,
    topic: draft.name,
    format: 'json',
    schema,
    references: [],
    fields: fieldsOfResult(groupBy, aggregates, schema),
    key: key !== undefined && otherKeys.length === 0 ? pointerOf(key) : undefined,
    time: '/windowEnd' satisfies JsonPointer,
    partitions: draft.from.partitions,
    retentionMs: draft.from.retentionMs,
    compacted: false,
    compatibility: 'BACKWARD',
    sensitive: [],
  }
}

/** The fields of a result as its schema gives them; the grouping and the aggregates are there for their types alone. */
function fieldsOfResult<G extends Grouping, A extends Aggregates>(
  groupBy: G,
  aggregates: A,
  schema: JsonObject,
): ResultFields<G, A>
function fieldsOfResult(_groupBy: Grouping, _aggregates: Aggregates, schema: JsonObject): Fields {
  return fieldsOf(schema)
}

function resultSchema(title: string, fields: Fields): JsonObject {
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title,
    type: 'object',
    additionalProperties: false,
    properties: Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, propertyOf(field)])),
    required: Object.entries(fields).flatMap(([name, field]) => (field.nullable ? [] : [name])),
  }
}

function propertyOf(field: Field): JsonObject {
  const types: Record<FieldType, JsonObject> = {
    string: { type: 'string' },
    number: { type: 'number' },
    integer: { type: 'integer' },
    boolean: { type: 'boolean' },
    timestamp: { type: 'string', format: 'date-time' },
  }
  return types[field.type]
}

/** As whom a pipeline gives events up, and accounts for those that it is done with. */
export function pipelineReader(name: string): string {
  return `flink/${name}`
}
