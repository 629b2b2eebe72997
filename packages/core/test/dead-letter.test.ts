import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  deadLetterHeaders,
  deadLetterReasons,
  deadLetterRecord,
  type FailedRecord,
  type Failure,
  isReason,
  originalHeaders,
  type RawHeader,
} from '../src/dead-letter.ts'
import { readDeadLetter } from '../src/read-dead-letter.ts'

const failure: Failure = {
  by: 'worker/enrich',
  reason: 'retries-exhausted',
  detail: 'the service answered 500 each time',
  pointer: '/customer/id',
  attempts: 5,
  firstFailedAtMs: Date.parse('2026-01-02T03:04:05.006Z'),
  failedAtMs: Date.parse('2026-01-02T03:05:00.000Z'),
}

function failedRecord(given: Partial<FailedRecord> = {}): FailedRecord {
  return {
    topic: 'order.placed',
    partition: 3,
    offset: 12_345_678_901n,
    timestampMs: Date.parse('2026-01-02T03:04:00.000Z'),
    key: Buffer.from('c-7'),
    value: Buffer.from([0xff, 0x00]),
    headers: new Map([
      ['ce_id', 'o-1'],
      ['traceparent', '00-0123'],
    ]),
    ...given,
  }
}

const raw = (...pairs: readonly (readonly [string, Uint8Array | null])[]): RawHeader[] =>
  pairs.map(([name, value]) => [Buffer.from(name), value])

describe('the dead letter of a record', () => {
  test('has its key, its value and its headers, and says why it is there and where it came from', () => {
    const { topic, key, value, headers, timestampMs } = deadLetterRecord(failedRecord(), failure)
    expect({ topic, key, value, timestampMs }).toEqual({
      topic: 'order.placed.dlq',
      key: Buffer.from('c-7'),
      value: Buffer.from([0xff, 0x00]),
      timestampMs: failure.failedAtMs,
    })
    expect([...headers]).toEqual([
      ['ce_id', 'o-1'],
      ['traceparent', '00-0123'],
      ['millrace_dlq_by', 'worker/enrich'],
      ['millrace_dlq_reason', 'retries-exhausted'],
      ['millrace_dlq_detail', 'the service answered 500 each time'],
      ['millrace_dlq_pointer', '/customer/id'],
      ['millrace_dlq_attempts', '5'],
      ['millrace_dlq_first_failed_at', '2026-01-02T03:04:05.006Z'],
      ['millrace_dlq_failed_at', '2026-01-02T03:05:00.000Z'],
      ['millrace_origin_topic', 'order.placed'],
      ['millrace_origin_partition', '3'],
      ['millrace_origin_offset', '12345678901'],
      ['millrace_origin_timestamp', '2026-01-02T03:04:00.000Z'],
    ])
  })

  test('says nothing of a place where its record never was', () => {
    const { partition, offset, ...neverStored } = failedRecord()
    expect([partition, offset]).toEqual([3, 12_345_678_901n])
    const { headers } = deadLetterRecord(neverStored, failure)
    expect(headers.has(deadLetterHeaders.partition)).toBe(false)
    expect(headers.has(deadLetterHeaders.offset)).toBe(false)
    expect(headers.get(deadLetterHeaders.topic)).toBe('order.placed')
  })

  test('keeps a tombstone a tombstone, and no key no key', () => {
    const { key, value } = deadLetterRecord(failedRecord({ key: null, value: null }), failure)
    expect([key, value]).toEqual([undefined, null])
  })

  test('has a sealed value in the place of its own, and says by which key', () => {
    const { value, headers } = deadLetterRecord(failedRecord(), failure, { keyId: 'k1', value: Buffer.from('sealed') })
    expect(value).toEqual(Buffer.from('sealed'))
    expect(headers.get(deadLetterHeaders.sealed)).toBe('k1')
  })

  test('has no more of a detail than a sentence takes', () => {
    const { headers } = deadLetterRecord(failedRecord(), { ...failure, detail: `${'x'.repeat(999)}🌊` })
    expect(headers.get(deadLetterHeaders.detail)).toHaveLength(1_000)
    expect(headers.get(deadLetterHeaders.detail)?.isWellFormed()).toBe(true)
  })

  test('that fails again is told of its new failure alone, and keeps the count of its replays', () => {
    const once = deadLetterRecord(failedRecord(), failure, { keyId: 'k1', value: Buffer.from('sealed') })
    const again = deadLetterRecord(
      failedRecord({ headers: new Map([...once.headers, ['millrace_replays', '2'], ['__connect.errors.topic', 'x']]) }),
      { ...failure, reason: 'timeout', pointer: undefined },
    )
    expect(again.headers.has(deadLetterHeaders.sealed)).toBe(false)
    expect(again.headers.has('__connect.errors.topic')).toBe(false)
    const { reason, pointer, replays } = readDeadLetter('order.placed', again)
    expect({ reason, pointer, replays }).toEqual({ reason: 'timeout', pointer: undefined, replays: 2 })
  })

  test('keeps headers that are no texts, or come twice, as they are', () => {
    const rawHeaders = raw(
      ['a', Buffer.from([0xff])],
      ['a', null],
      [deadLetterHeaders.reason, Buffer.from('forged')],
      ['\u{e9}', Buffer.from('')],
    )
    const letter = deadLetterRecord(failedRecord({ headers: new Map([['a', '']]), rawHeaders }), failure)
    expect(letter.rawHeaders).toEqual(rawHeaders.filter((_, index) => index !== 2))
    expect(letter.headers.get('a')).toBeUndefined()
    expect(letter.headers.get(deadLetterHeaders.reason)).toBe('retries-exhausted')
  })
})

const when = fc.integer({ min: 0, max: 4e12 })
const failureReasons = Object.keys(deadLetterReasons).flatMap((name) =>
  isReason(name) && name !== 'unknown' ? [name] : [],
)
const anyFailure: fc.Arbitrary<Failure> = fc.record({
  by: fc.string(),
  reason: fc.constantFrom(...failureReasons),
  detail: fc.string({ unit: 'grapheme', maxLength: 200 }),
  pointer: fc.option(fc.string(), { nil: undefined }),
  attempts: fc.nat(),
  firstFailedAtMs: when,
  failedAtMs: when,
})
const anyRecord = fc.record({
  partition: fc.nat(),
  offset: fc.bigInt({ min: 0n, max: 2n ** 63n - 1n }),
  timestampMs: when,
  headers: fc
    .array(fc.tuple(fc.string(), fc.string({ unit: 'grapheme' })))
    .map((pairs) => new Map(pairs.filter(([name]) => name !== 'millrace_replays'))),
})

test('what a dead letter says is read as it was said, and its original headers are found again', () => {
  fc.assert(
    fc.property(anyRecord, anyFailure, fc.boolean(), (given, failed, isSealed) => {
      const record = failedRecord(given)
      const letter = deadLetterRecord(record, failed, isSealed ? { keyId: 'k', value: Buffer.from('s') } : undefined)
      const { topic, partition, offset, timestampMs } = record
      expect(readDeadLetter('another', letter)).toEqual({
        ...failed,
        replays: 0,
        sealed: isSealed ? 'k' : undefined,
        origin: { topic, partition, offset, timestampMs },
      })
      expect([...originalHeaders(letter).headers]).toEqual([...record.headers])
    }),
  )
})

describe('a record of a dead letter topic', () => {
  const read = (headers: Record<string, string>) =>
    readDeadLetter('order.placed', { headers: new Map(Object.entries(headers)), timestampMs: 1_000 })

  test.each([
    ['VALUE_CONVERTER', 'undecodable'],
    ['KEY_CONVERTER', 'undecodable'],
    ['TRANSFORMATION', 'sink-failed'],
    ['TASK_PUT', 'sink-failed'],
  ])('that Connect wrote at the stage %s is read as %s', (stage, reason) => {
    const letter = read({
      ce_id: 'o-1',
      '__connect.errors.topic': 'orders',
      '__connect.errors.partition': '4',
      '__connect.errors.offset': '99',
      '__connect.errors.connector.name': 'snowflake-orders',
      '__connect.errors.task.id': '0',
      '__connect.errors.stage': stage,
      '__connect.errors.class.name': 'org.apache.kafka.connect.json.JsonConverter',
      '__connect.errors.exception.class.name': 'org.apache.kafka.connect.errors.DataException',
      '__connect.errors.exception.message': 'no such thing',
      '__connect.errors.exception.stacktrace': 'at …',
    })
    expect(letter).toEqual({
      by: 'connect/snowflake-orders',
      reason,
      detail: `${stage}: org.apache.kafka.connect.errors.DataException: no such thing`,
      pointer: undefined,
      attempts: 1,
      firstFailedAtMs: 1_000,
      failedAtMs: 1_000,
      origin: { topic: 'orders', partition: 4, offset: 99n, timestampMs: undefined },
      replays: 0,
      sealed: undefined,
    })
  })

  test('that says nothing, or nonsense, is read as what it is: unknown', () => {
    expect(read({})).toMatchObject({ by: 'unknown', reason: 'unknown', attempts: 1, origin: { topic: 'order.placed' } })
    expect(
      read({
        millrace_dlq_by: 'x',
        millrace_dlq_reason: 'toString',
        millrace_dlq_attempts: '-1',
        millrace_dlq_failed_at: 'yesterday',
        millrace_origin_partition: '1e3',
        millrace_origin_offset: '99999999999999999999',
        millrace_replays: 'many',
      }),
    ).toMatchObject({
      ...{ by: 'x', reason: 'unknown', attempts: 1, failedAtMs: 1_000, replays: 0 },
      origin: { partition: undefined, offset: undefined },
    })
  })
})
