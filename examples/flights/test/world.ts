import { hash } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { AccountOutcome } from '@millrace/core/account'
import { type Pipeline, pipelineReader } from '@millrace/core/pipeline'
import { onTestFinished } from 'vitest'
import { createTables } from '../src/verdict/tables.ts'
import { type Database, literal, openDatabase } from '@millrace/ledger/database'
import {
  type AirportRow,
  airportsInTopic,
  judged,
  outputOf,
  type ResultRow,
  resultRow,
  smallPipelines,
  source,
  type StoredEvent,
} from './small-pipelines.ts'

/** An event as somebody sends it. Without a time it is malformed. */
export type Sent = {
  readonly id: string
  readonly partition: number
  readonly origin: string
  readonly destination?: string
  readonly atSeconds: number | undefined
  readonly distance?: number
  readonly delay?: number | null
  readonly source?: string
}

export type LedgerRow = {
  status: 'accepted' | 'duplicate' | 'rejected' | 'unconfirmed'
  request: string
  at_ms: number
  id: string
  partition: number | null
  offset: number | null
  sha256: string | null
  detail: string | null
}
export type TopicRow = {
  partition: number
  offset: number
  source: string | null
  id: string | null
  key: string | null
  sha256: string
  event_ms: number | null
  origin: string | null
  destination: string | null
  distance: number | null
  delay: number | null
  well_formed: boolean
}
/** A row of the warehouse. */
export type LoadedRow = Pick<
  ResultRow,
  'partition' | 'offset' | 'window_start_ms' | 'window_end_ms' | 'flights' | 'distance' | 'mean_delay'
> & { origin: string | null }
export type CopyRow = {
  partition: number
  offset: number
  origin_partition: number
  origin_offset: number
  source: string | null
  id: string | null
  sha256: string
}
export type LateRow = CopyRow & { pipeline: string; missed: number | null }
export type DeadLetterRow = CopyRow & { topic: string; dead_by: string; reason: string; origin_topic: string }

export type FeedRow = Pick<TopicRow, 'partition' | 'offset' | 'source' | 'id' | 'key' | 'sha256'> & { topic: string }
export type FeedAnswer = Omit<LedgerRow, 'request' | 'at_ms'> & { topic: string }

export type AccountingTableRow = {
  topic: string
  reader: string
  accepted: number
  processed: number
  filtered: number
  late: number
  dead_lettered: number
  in_flight: number | null
  unaccounted: number | null
}

/** What the verdict reads, table by table. Tests change its rows. */
export type World = {
  ledger: LedgerRow[]
  topic: TopicRow[]
  feed_ledger: FeedAnswer[]
  feed_topic: FeedRow[]
  airports: AirportRow[]
  results: ResultRow[]
  late: LateRow[]
  dead_letters: DeadLetterRow[]
  warehouse: LoadedRow[]
  accounting: AccountingTableRow[]
}

/**
 * Three airports, in the order of arrival. Three events are late, one of them too late to correct anything, four are in windows still open, and
 * somebody else sends two: one is malformed, one has an id of ours.
 */
export const stream: readonly Sent[] = [
  { id: '0', partition: 0, origin: 'AAA', atSeconds: 5, delay: 3 },
  { id: '1', partition: 1, origin: 'CCC', atSeconds: 10, delay: -8 },
  { id: '2', partition: 0, origin: 'BBB', destination: 'AAA', atSeconds: 20 },
  { id: '3', partition: 0, origin: 'AAA', atSeconds: 50, delay: 10 },
  { id: '4', partition: 1, origin: 'CCC', destination: 'AAA', atSeconds: 75 },
  { id: '5', partition: 0, origin: 'AAA', atSeconds: 75 },
  { id: 'late AAA', partition: 0, origin: 'AAA', atSeconds: 58 },
  { id: 'late CCC', partition: 1, origin: 'CCC', destination: 'AAA', atSeconds: 59 },
  { id: 'malformed', partition: 1, origin: 'CCC', atSeconds: undefined, source: '/elsewhere' },
  { id: '9', partition: 0, origin: 'AAA', atSeconds: 65, delay: 7 },
  { id: '10', partition: 1, origin: 'CCC', atSeconds: 130 },
  { id: '11', partition: 0, origin: 'AAA', atSeconds: 140 },
  { id: 'very late', partition: 1, origin: 'CCC', atSeconds: 15 },
  { id: '12', partition: 0, origin: 'BBB', atSeconds: 131 },
  { id: '9', partition: 1, origin: 'CCC', atSeconds: 131, source: '/elsewhere' },
]

/** The world that a platform without a fault makes of a stream. */
export function worldOf(sent: readonly Sent[]): World {
  const topic: TopicRow[] = []
  for (const event of sent) {
    topic.push(topicRow(event, topic.filter(({ partition }) => partition === event.partition).length))
  }
  const outputs = smallPipelines.map((pipeline) => outputsOf(pipeline, topic))
  const results = outputs.flatMap((output) => output.results)
  const ledger = [
    ...topic.filter((row) => row.source === source).map(acknowledged),
    withoutPlace('unconfirmed', 'lost on the way'),
    withoutPlace('rejected', 'refused'),
  ]
  const anyOther = { ...accounted(topic.length), reader: 'worker/other', processed: topic.length }
  return {
    ...{ ledger, topic, ...feedsOf(sent.length > 0), airports: [...airportsInTopic], results },
    late: outputs.flatMap((output) => output.late),
    dead_letters: outputs.flatMap((output) => output.deadLetters),
    warehouse: results.filter(({ pipeline }) => pipeline === judged.loaded).map(loaded),
    accounting: topic.length === 0 ? [] : [...outputs.map((output) => output.accounting), anyOther],
  }
}

function outputsOf(pipeline: Pipeline, topic: readonly TopicRow[]) {
  const { name, window } = pipeline
  const { evaluation, missed } = outputOf(pipeline, topic.map(storedEvent))
  const late = topic.flatMap((row, index) => {
    const windows = missed[index] ?? 0
    return windows === 0 ? [] : [{ ...row, windows: window.kind === 'sliding' ? windows : null }]
  })
  const malformed = topic.filter(({ well_formed: isEvent }) => !isEvent)
  const having = (outcome: AccountOutcome): number => evaluation.outcomes.filter((one) => one === outcome).length
  return {
    results: evaluation.results.map((result, index) => resultRow(name, result, index)),
    late: late.map((row, index): LateRow => ({ pipeline: name, ...copyOf(row, index), missed: row.windows })),
    deadLetters: malformed.map((row, index) => ({
      ...copyOf(row, index),
      ...deadLetterFields,
      dead_by: pipelineReader(name),
    })),
    accounting: {
      ...accounted(topic.length),
      reader: pipelineReader(name),
      ...{ processed: having('processed'), late: having('late'), dead_lettered: having('dead-lettered') },
    },
  }
}

function storedEvent(row: TopicRow): StoredEvent {
  const { partition, offset, event_ms: atMs, origin, destination, distance, delay } = row
  return {
    ...{ partition, offset, atMs: atMs ?? undefined, delay },
    ...{ origin: origin ?? '', destination: destination ?? '', distance: distance ?? 0 },
  }
}

function loaded(row: ResultRow): LoadedRow {
  const { partition, offset, group_value: origin, window_start_ms, window_end_ms, flights, distance, mean_delay } = row
  return { partition, offset, origin, window_start_ms, window_end_ms, flights, distance, mean_delay }
}

function accounted(accepted: number): Omit<AccountingTableRow, 'reader'> {
  const topic = judged.eventTopic
  return { topic, accepted, processed: 0, filtered: 0, late: 0, dead_lettered: 0, in_flight: 0, unaccounted: 0 }
}

/** A feed with two acknowledged events and one that was refused, stored behind somebody else's with an id of ours. */
function feedsOf(any: boolean): Pick<World, 'feed_ledger' | 'feed_topic'> {
  if (!any) return { feed_ledger: [], feed_topic: [] }
  const topic = 'quake.recorded'
  const row = (id: string, offset: number, from = '/feed'): FeedRow => {
    return { topic, partition: 1, offset, source: from, id, key: 'ci', sha256: hash('sha256', `${from}${id}`) }
  }
  const stored = [row('quake 1', 0, '/elsewhere'), row('quake 1', 1), row('quake 2', 2)]
  const answers = stored.slice(1).map(({ id, partition, offset, sha256 }): FeedAnswer => {
    return { topic, status: 'accepted', id: id ?? '', partition, offset, sha256, detail: null }
  })
  const refused = { ...nowhere, topic, status: 'rejected', id: 'quake 3', detail: 'it was refused' } as const
  return { feed_ledger: [...answers, refused], feed_topic: stored }
}

const deadLetterFields = {
  topic: `${judged.eventTopic}.dlq`,
  reason: 'malformed',
  origin_topic: judged.eventTopic,
}

function topicRow(event: Sent, offset: number): TopicRow {
  const wellFormed = event.atSeconds !== undefined
  const { destination = 'BBB', distance = 100, delay = 0 } = event
  return {
    partition: event.partition,
    offset,
    source: event.source ?? source,
    id: event.id,
    key: event.origin,
    sha256: hash('sha256', JSON.stringify(event)),
    event_ms: event.atSeconds === undefined ? null : event.atSeconds * 1_000,
    origin: wellFormed ? event.origin : null,
    destination: wellFormed ? destination : null,
    distance: wellFormed ? distance : null,
    delay: wellFormed ? delay : null,
    well_formed: wellFormed,
  }
}

function copyOf({ partition, offset, source: from, id, sha256 }: TopicRow, at: number): CopyRow {
  return { partition: 0, offset: at, origin_partition: partition, origin_offset: offset, source: from, id, sha256 }
}

function acknowledged({ id, partition, offset, sha256 }: TopicRow): LedgerRow {
  const status = 'accepted'
  return { status, request: `r${partition}-${offset}`, at_ms: 0, id: id ?? '', partition, offset, sha256, detail: null }
}

const nowhere = { partition: null, offset: null, sha256: null }

export function withoutPlace(status: 'unconfirmed' | 'rejected', id: string): LedgerRow {
  return { status, request: 'r', at_ms: 0, id, ...nowhere, detail: `it was ${status}` }
}

/** A database of the verdict with a world in its tables. */
export async function databaseOf(world: World): Promise<Database> {
  const database = await openDatabase()
  await createTables(database)
  for (const [table, rows] of Object.entries(world)) await insert(database, table, rows)
  return database
}

async function insert(database: Database, table: string, rows: readonly object[]): Promise<void> {
  const [first] = rows
  if (first === undefined) return
  const columns = Object.keys(first)
  const values = rows.map((row) => `(${columns.map((column) => sqlOf(Reflect.get(row, column))).join()})`)
  await database.run(`INSERT INTO ${table} (${columns.map((name) => `"${name}"`).join()}) VALUES ${values.join()}`)
}

function sqlOf(value: unknown): string {
  return typeof value === 'string' ? literal(value) : JSON.stringify(value)
}

/** The row at an index, for a test that knows that there is one. */
export function at<Row>(rows: readonly Row[], index: number): Row {
  const row = rows.at(index)
  if (row === undefined) throw new RangeError(`there is no row ${index}`)
  return row
}

/** A folder that is there until the test is over. */
export function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'flights-'))
  onTestFinished(() => rmSync(directory, { recursive: true }))
  return directory
}
