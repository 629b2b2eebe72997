import { MillraceError } from '@millrace/core/errors'
import { Reader, readRecordsBatch } from '@platformatic/kafka'
import { beforeEach, describe, expect, test } from 'vitest'
import { type Batch, type Entry, PartitionWriter } from '../src/partition-writer.ts'

const limits = { batchEventsMax: 3, batchBytesMax: 1_000 }
const refusal = new MillraceError('kafka.refused', 'not allowed')

let writer: PartitionWriter
/** What each record was answered, by its value. */
let answers: Record<string, string>
let released: number
let left: number

beforeEach(() => {
  answers = {}
  released = 0
  left = 0
  writer = new PartitionWriter('events', 5, { onSettled: () => (released += 1), onLeave: () => (left += 1) })
})

function push(value: string, { expiresAt = 1_000, bytes = 10 } = {}): void {
  const entry: Entry = {
    record: { topic: 'events', value: Buffer.from(value), headers: new Map(), timestampMs: 0 },
    bytes,
    expiresAt,
    resolve: ({ partition, offset }) => (answers[value] = `stored at ${partition}/${offset}`),
    reject: ({ code }) => (answers[value] = code),
  }
  writer.push(entry)
}

function identified(producerId = 7n): void {
  writer.identify({ producerId, producerEpoch: 0 })
}

function take(): Batch {
  const batch = writer.take(limits)
  if (!batch) throw new Error('there is nothing to send')
  return batch
}

function told({ bytes }: Batch) {
  const { producerId, firstSequence, records } = readRecordsBatch(Reader.from(bytes))
  return { producerId, sequence: firstSequence, values: records.map(({ value }) => String(value)) }
}

describe('a partition is written', () => {
  test('in order, one batch at a time, within the bounds', () => {
    for (const value of ['a', 'b', 'c', 'd']) push(value)
    push('large', { bytes: 2_000 })
    identified()
    const first = take()
    expect(told(first)).toEqual({ producerId: 7n, sequence: 0, values: ['a', 'b', 'c'] })
    expect(take()).toBe(first)
    writer.stored(first, 40n)
    const second = take()
    expect(told(second)).toEqual({ producerId: 7n, sequence: 3, values: ['d'] })
    writer.stored(second, 43n)
    const third = take()
    expect(told(third)).toEqual({ producerId: 7n, sequence: 4, values: ['large'] })
    expect(answers).toEqual({ a: 'stored at 5/40', b: 'stored at 5/41', c: 'stored at 5/42', d: 'stored at 5/43' })
    expect(released).toBe(4)
    expect(left).toBe(3)
  })

  test('not before it has a producer id', () => {
    push('a')
    expect(writer.take(limits)).toBeUndefined()
    expect(writer.isEmpty).toBe(false)
  })
})

describe('a batch', () => {
  test('is sent again as it was, with what came meanwhile behind it', () => {
    push('a')
    identified()
    const batch = take()
    push('b')
    writer.again(batch, true)
    expect(take().bytes).toEqual(batch.bytes)
    writer.stored(batch, 3n)
    expect(told(take())).toEqual({ producerId: 7n, sequence: 1, values: ['b'] })
  })

  test('that is refused leaves no hole in the sequence', () => {
    push('a')
    identified()
    writer.refused(take(), refusal)
    expect(answers).toEqual({ a: 'kafka.refused' })
    push('b')
    expect(told(take())).toEqual({ producerId: 7n, sequence: 0, values: ['b'] })
  })

  test('that does not fit is sent in halves, until it is one record, which is refused', () => {
    for (const value of ['a', 'b', 'large', 'c']) push(value)
    identified()
    const unfit = new MillraceError('kafka.unfit', 'too large')
    const sent: string[][] = []
    for (let batch = writer.take(limits), end = 0n; batch; batch = writer.take(limits)) {
      const { values } = told(batch)
      sent.push(values)
      if (values.includes('large')) writer.unfit(batch, unfit)
      else writer.stored(batch, end)
      end += BigInt(values.length)
    }
    expect(sent).toEqual([['a', 'b', 'large'], ['a', 'b'], ['large'], ['c']])
    expect(answers['large']).toBe('kafka.unfit')
    expect(Object.keys(answers)).toHaveLength(4)
    expect(released).toBe(4)
  })

  test('that does not fit after an attempt without an answer is not confirmed', () => {
    push('a')
    push('b')
    identified()
    const batch = take()
    writer.again(batch, true)
    writer.unfit(batch, refusal)
    expect(answers).toEqual({ a: 'kafka.not-confirmed', b: 'kafka.not-confirmed' })
  })

  test('that is refused after an attempt without an answer is not confirmed, and the next has another producer id', () => {
    push('a')
    identified()
    const batch = take()
    writer.again(batch, true)
    writer.refused(batch, refusal)
    expect(answers).toEqual({ a: 'kafka.not-confirmed' })
    expect(writer.isIdentified).toBe(false)
  })

  test('that a broker does not take under its producer id is written under the next, unless it may be stored', () => {
    push('a')
    push('b')
    identified()
    writer.disowned(take())
    expect(answers).toEqual({})
    identified(8n)
    const again = take()
    expect(told(again)).toEqual({ producerId: 8n, sequence: 0, values: ['a', 'b'] })
    writer.again(again, true)
    writer.disowned(again)
    expect(answers).toEqual({ a: 'kafka.not-confirmed', b: 'kafka.not-confirmed' })
    expect(writer.isEmpty).toBe(true)
  })

  test('that is stored, nobody knows where, is not confirmed', () => {
    push('a')
    identified()
    writer.lost(take())
    expect(answers).toEqual({ a: 'kafka.not-confirmed' })
    expect(writer.isIdentified).toBe(false)
  })
})

describe('time', () => {
  test('ends the wait of each record by itself; a batch is given up with its last', () => {
    push('a', { expiresAt: 100 })
    push('b', { expiresAt: 200 })
    identified()
    const batch = take()
    push('c', { expiresAt: 300 })
    writer.expire(150)
    expect(answers).toEqual({ a: 'kafka.not-confirmed' })
    expect(take()).toBe(batch)
    writer.expire(250)
    expect(answers).toEqual({ a: 'kafka.not-confirmed', b: 'kafka.not-confirmed' })
    expect(writer.isIdentified).toBe(false)
    // The answer comes after all.
    writer.stored(batch, 9n)
    identified(8n)
    expect(told(take())).toEqual({ producerId: 8n, sequence: 0, values: ['c'] })
    expect(released).toBe(2)
  })

  test('that is over for a part of a batch leaves the rest its answer', () => {
    push('a', { expiresAt: 100 })
    push('b', { expiresAt: 200 })
    identified()
    const batch = take()
    writer.expire(150)
    writer.stored(batch, 9n)
    expect(answers).toEqual({ a: 'kafka.not-confirmed', b: 'stored at 5/10' })
    expect(released).toBe(2)
  })
})

test('what can never be written is answered at once, what may be stored as not confirmed', () => {
  push('a')
  identified()
  writer.again(take(), true)
  push('b')
  writer.refuseAll(refusal)
  expect(answers).toEqual({ a: 'kafka.not-confirmed', b: 'kafka.refused' })
  expect(writer.isEmpty).toBe(true)
})
