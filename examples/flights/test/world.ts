import { hash } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { createTables } from '../src/verdict/tables.ts'
import { type Database, literal, openDatabase } from '@millrace/ledger/database'
import type { Semantics } from '../src/verdict/semantics.ts'

/** A world so small that every row of it can be looked at: minutes for windows, two partitions, a dozen events. */
export const semantics: Semantics = {
  reader: 'flink/departures-per-airport',
  eventTopic: 'flight.departed',
  partitions: 2,
  windowMs: 60_000,
  outOfOrdernessMs: 10_000,
}

export const source = '/flights/2001'

/** An event as somebody sends it. Without a time it is malformed. */
export type Sent = {
  readonly id: string
  readonly partition: number
  readonly origin: string
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
  distance: number | null
  delay: number | null
  well_formed: boolean
}
export type ResultRow = {
  partition: number
  offset: number
  origin: string
  window_start_ms: number
  window_end_ms: number
  flights: number
  distance: number
  mean_delay: number | null
}
export type CopyRow = {
  partition: number
  offset: number
  origin_partition: number
  origin_offset: number
  source: string | null
  id: string | null
  sha256: string
}
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
  results: ResultRow[]
  late: CopyRow[]
  dead_letters: DeadLetterRow[]
  warehouse: ResultRow[]
  accounting: AccountingTableRow[]
}

/**
 * Three airports, in the order of arrival. Two events are late, four are in windows still open, and somebody else sends two:
 * one is malformed, one has an id of ours.
 */
export const stream: readonly Sent[] = [
  { id: '0', partition: 0, origin: 'AAA', atSeconds: 5, delay: 3 },
  { id: '1', partition: 1, origin: 'CCC', atSeconds: 10, delay: -8 },
  { id: '2', partition: 0, origin: 'BBB', atSeconds: 20 },
  { id: '3', partition: 0, origin: 'AAA', atSeconds: 50, delay: 10 },
  { id: '4', partition: 1, origin: 'CCC', atSeconds: 75 },
  { id: '5', partition: 0, origin: 'AAA', atSeconds: 75 },
  { id: 'late AAA', partition: 0, origin: 'AAA', atSeconds: 58 },
  { id: 'late CCC', partition: 1, origin: 'CCC', atSeconds: 59 },
  { id: 'malformed', partition: 1, origin: 'CCC', atSeconds: undefined, source: '/elsewhere' },
  { id: '9', partition: 0, origin: 'AAA', atSeconds: 65, delay: 7 },
  { id: '10', partition: 1, origin: 'CCC', atSeconds: 130 },
  { id: '11', partition: 0, origin: 'AAA', atSeconds: 140 },
  { id: '12', partition: 0, origin: 'BBB', atSeconds: 131 },
  { id: '9', partition: 1, origin: 'CCC', atSeconds: 131, source: '/elsewhere' },
]

/** The world that a platform without a fault makes of a stream. */
export function worldOf(
  sent: readonly Sent[],
  { windowMs, outOfOrdernessMs, partitions }: Semantics = semantics,
): World {
  const topic: TopicRow[] = []
  const late: CopyRow[] = []
  const deadLetters: DeadLetterRow[] = []
  const windows = new Map<string, { origin: string; endMs: number; distances: number[]; delays: number[] }>()
  const greatestMs = new Map<number, number>()
  const watermarkMs = (): number =>
    greatestMs.size < partitions ? -Infinity : Math.min(...greatestMs.values()) - outOfOrdernessMs
  for (const event of sent) {
    const row = topicRow(event, topic.filter(({ partition }) => partition === event.partition).length)
    topic.push(row)
    if (row.event_ms === null) {
      deadLetters.push({ ...copyOf(row, deadLetters.length), ...deadLetterFields })
      continue
    }
    const endMs = (Math.floor(row.event_ms / windowMs) + 1) * windowMs
    if (endMs - 1 <= watermarkMs()) {
      late.push(copyOf(row, late.length))
    } else {
      const name = `${endMs} ${event.origin}`
      const window = windows.get(name) ?? { origin: event.origin, endMs, distances: [], delays: [] }
      windows.set(name, window)
      window.distances.push(row.distance ?? 0)
      if (row.delay !== null) window.delays.push(row.delay)
    }
    greatestMs.set(event.partition, Math.max(greatestMs.get(event.partition) ?? -Infinity, row.event_ms))
  }
  const closed = [...windows.values()].filter(({ endMs }) => endMs - 1 <= watermarkMs())
  // Every second offset is a transaction's marker, which readers of committed records never see.
  const results = closed.map(({ origin, endMs, distances, delays }, index): ResultRow => ({
    partition: index % 2,
    offset: index - (index % 2),
    origin,
    window_start_ms: endMs - windowMs,
    window_end_ms: endMs,
    flights: distances.length,
    distance: total(distances),
    mean_delay: delays.length === 0 ? null : total(delays) / delays.length,
  }))
  const ledger = [
    ...topic.filter((row) => row.source === source).map(acknowledged),
    withoutPlace('unconfirmed', 'lost on the way'),
    withoutPlace('rejected', 'refused'),
  ]
  const warehouse = results.map((row) => ({ ...row }))
  const accounting = accountingOf(topic.length, late.length, deadLetters.length)
  return { ledger, topic, ...feedsOf(sent.length > 0), results, late, dead_letters: deadLetters, warehouse, accounting }
}

/** Of the pipeline, and of somebody else who reads the same topic. */
function accountingOf(accepted: number, late: number, dead: number): AccountingTableRow[] {
  if (accepted === 0) return []
  const all = { topic: semantics.eventTopic, accepted, filtered: 0, in_flight: 0, unaccounted: 0 }
  return [
    { ...all, reader: semantics.reader, processed: accepted - late - dead, late, dead_lettered: dead },
    { ...all, reader: 'worker/other', processed: accepted, late: 0, dead_lettered: 0 },
  ]
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
  topic: `${semantics.eventTopic}.dlq`,
  dead_by: 'flink/departures-per-airport',
  reason: 'malformed',
  origin_topic: semantics.eventTopic,
}

function topicRow(event: Sent, offset: number): TopicRow {
  const wellFormed = event.atSeconds !== undefined
  const { distance = 100, delay = 0 } = event
  return {
    partition: event.partition,
    offset,
    source: event.source ?? source,
    id: event.id,
    key: event.origin,
    sha256: hash('sha256', JSON.stringify(event)),
    event_ms: event.atSeconds === undefined ? null : event.atSeconds * 1_000,
    origin: wellFormed ? event.origin : null,
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

function total(numbers: readonly number[]): number {
  return numbers.reduce((sum, number) => sum + number, 0)
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

/** A record as it lies in Kafka. */
export type LogRecord = {
  readonly partition?: number
  readonly offset?: number
  readonly headers?: Readonly<Record<string, string>>
  readonly key?: Uint8Array | string | null
  readonly value: Uint8Array | string | null
}

/** The line that Kafka's console consumer prints for a record, with the formatter of `console-consumer.ts`. */
export function printed({ partition = 0, offset = 0, headers = {}, key = null, value }: LogRecord): string {
  const printedHeaders = Object.entries(headers).map(([name, text]) => `${name}:${printedBytes(text)}`)
  const columns = [
    'CreateTime:1764000000000',
    `Partition:${partition}`,
    `Offset:${offset}`,
    printedHeaders.join('\\,') || 'NO_HEADERS',
    printedBytes(key),
    printedBytes(value),
  ]
  return `${columns.join('\t')}\n`
}

/** Kafka's `Bytes.toString`, to which the formatter gives the null literal too. */
function printedBytes(value: Uint8Array | string | null): string {
  return [...Buffer.from(value ?? '\\N')]
    .map((byte) =>
      byte >= 0x20 && byte <= 0x7e && byte !== 0x5c
        ? String.fromCharCode(byte)
        : `\\x${byte.toString(16).toUpperCase().padStart(2, '0')}`,
    )
    .join('')
}
