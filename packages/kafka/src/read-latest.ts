import { MillraceError } from '@millrace/core/errors'
/** Reads the newest records of a topic, all partitions merged by time, going back in steps: holes make a step too short, large records too long. */
import type { Admin as Client } from '@platformatic/kafka'
import { fetchFrom, type FetchLimits, type StoredRecord } from './fetch.ts'
import type { NamedTopic } from './read-forward.ts'

/** Offsets of a partition, from `start` up to, but without, `end`. */
export type Span = { readonly start: bigint; readonly end: bigint }

const mebibyte = 1_048_576
const limits: FetchLimits = { maxWaitMs: 100, minBytes: 1, maxBytes: 2 * mebibyte, partitionMaxBytes: mebibyte }
/** What a broker's partitions may bring in one step. A step that brings more is made again, shorter. */
const stepBytesMax = 8 * mebibyte
const stepMin = 8
const stepMax = 64
const stepGrowth = 4n
/** What one answer may hold: beyond it, fewer records than asked for are given. One is given even if it is larger. */
const givenBytesMax = 8 * mebibyte
/** Where nothing is found at all, as in a long stretch of aborted transactions, the question is given up after this. */
const emptyTimeMsMax = 8_000
const timeMsMax = 5_000

/** A partition while it is read backwards. */
type Lane = {
  readonly partition: number
  readonly start: bigint
  /** Everything from here on is read. */
  readFrom: bigint
  step: bigint
  /** What is read and not given yet, oldest first. */
  waiting: StoredRecord[]
}

/**
 * @param spans of all partitions
 * @returns the records, newest first; within a partition against the order of its offsets
 */
export async function readLatest(
  client: Client,
  topic: NamedTopic,
  spans: ReadonlyMap<number, Span>,
  limit: number,
): Promise<StoredRecord[]> {
  const first = Math.min(stepMax, Math.max(stepMin, Math.ceil((limit / spans.size) * 1.5)))
  const lanes = [...spans].map(([partition, { start, end }]): Lane => {
    return { partition, start, readFrom: end, step: BigInt(first), waiting: [] }
  })
  const records: StoredRecord[] = []
  const deadline = performance.now() + timeMsMax
  const lastDeadline = performance.now() + emptyTimeMsMax
  let room = givenBytesMax
  while (records.length < limit && room > 0 && (records.length === 0 || performance.now() < deadline)) {
    const hungry = lanes.filter(isHungry)
    if (hungry.length === 0) break
    if (performance.now() > lastDeadline)
      throw new MillraceError('kafka.unavailable', `nothing committed was found in ${topic.name} in time`)
    await Promise.all([...topic.leaders].map((leader) => stepBack(client, topic, leader, hungry)))
    room = give(lanes, records, limit, room)
  }
  return records
}

function isHungry({ waiting, readFrom, start }: Lane): boolean {
  return waiting.length === 0 && readFrom > start
}

/** One step back on each hungry partition of a broker. */
async function stepBack(
  client: Client,
  topic: NamedTopic,
  [broker, partitions]: readonly [number, readonly number[]],
  hungry: readonly Lane[],
): Promise<void> {
  const lanes = hungry.filter(({ partition }) => partitions.includes(partition))
  const spans = new Map(lanes.map((lane) => [lane.partition, { start: stepStart(lane), end: lane.readFrom }]))
  if (spans.size === 0) return
  const read = await readSpans(client, broker, topic, spans)
  for (const lane of lanes) {
    const records = read?.get(lane.partition)
    if (records) {
      lane.readFrom = stepStart(lane)
      lane.waiting = records
      lane.step *= stepGrowth
    } else if (lane.step > 1n) {
      lane.step /= stepGrowth
      if (lane.step < 1n) lane.step = 1n
    }
  }
}

function stepStart({ readFrom, step, start }: Lane): bigint {
  return readFrom - step > start ? readFrom - step : start
}

/** All committed records of some spans on one broker; `undefined` when they are too large to be held together. */
async function readSpans(
  client: Client,
  broker: number,
  { name, topicId: id }: NamedTopic,
  spans: ReadonlyMap<number, Span>,
): Promise<Map<number, StoredRecord[]> | undefined> {
  const read = new Map([...spans.keys()].map((partition): [number, StoredRecord[]] => [partition, []]))
  const positions = new Map([...spans].map(([partition, { start }]) => [partition, start]))
  let bytes = 0
  for (let advanced = true; advanced && positions.size > 0;) {
    advanced = false
    for (const fetched of await fetchFrom(client, broker, { name, id }, positions, limits)) {
      const { partition, position, next, outOfRange, records } = fetched
      const end = spans.get(partition)?.end ?? 0n
      for (const record of records) {
        if (record.offset >= end) break
        read.get(partition)?.push(record)
        bytes += record.value?.length ?? 0
      }
      // Out of range: retention took the span while it was read.
      if (next >= end || outOfRange) positions.delete(partition)
      else positions.set(partition, next)
      advanced ||= next > position || outOfRange
    }
    if (bytes > stepBytesMax && spansAreLong(spans)) return undefined
  }
  // A leader that is new to its task may not have come to the end that another told.
  if (positions.size > 0) throw new MillraceError('kafka.unavailable', `${name} could not be read to its end`)
  return read
}

function spansAreLong(spans: ReadonlyMap<number, Span>): boolean {
  return [...spans.values()].some(({ start, end }) => end - start > 1n)
}

/** @returns the bytes that may still be given */
function give(lanes: readonly Lane[], records: StoredRecord[], limit: number, room: number): number {
  let left = room
  while (records.length < limit && left > 0) {
    if (lanes.some(isHungry)) return left
    let newest: Lane | undefined
    for (const lane of lanes) {
      const head = lane.waiting.at(-1)
      const best = newest?.waiting.at(-1)
      if (head && (!best || head.timestampMs > best.timestampMs)) newest = lane
    }
    const record = newest?.waiting.pop()
    if (!record) return left
    records.push(record)
    left -= record.value?.length ?? 0
  }
  return left
}
