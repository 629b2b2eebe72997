import { expect, test } from 'vitest'
import { type Account, accountAnew, minuteOf, parseAccount } from '../src/account.ts'

const storedAtMs = Date.parse('2026-03-01T12:34:56Z')
const headers = (entries: Record<string, string>) => new Map(Object.entries(entries))

test('an event counts in the minute of the time that its data holds', () => {
  const both = headers({ ce_time: '2026-01-01T00:00:00Z', millrace_event_time: '2001-02-03T04:05:59.999+02:00' })
  expect(minuteOf(both, storedAtMs)).toBe('2001-02-03T02:05:00Z')
})

test('where the data holds none, in that of its CloudEvents time', () => {
  expect(minuteOf(headers({ ce_time: '2026-01-01t00:00:01.123456789z' }), storedAtMs)).toBe('2026-01-01T00:00:00Z')
})

test.each(['', 'yesterday', '2026-02-30T00:00:00Z', `2026-01-01T00:00:00.${'0'.repeat(50)}Z`])(
  'where that is none either ("%s"), in the minute in which it was stored',
  (time) => {
    expect(minuteOf(headers({ ce_time: time }), storedAtMs)).toBe('2026-03-01T12:34:00Z')
    expect(minuteOf(headers({}), storedAtMs)).toBe('2026-03-01T12:34:00Z')
  },
)

test('where the header of the time in the data holds none, in that of its CloudEvents time', () => {
  const time = headers({ ce_time: '2026-01-01T00:00:00Z', millrace_event_time: 'yesterday' })
  expect(minuteOf(time, storedAtMs)).toBe('2026-01-01T00:00:00Z')
})

test.each([
  ['1969-12-31T23:58:59.999Z', '1969-12-31T23:58:00Z'],
  ['0000-01-01T01:00:00+01:00', '0000-01-01T00:00:00Z'],
  ['0000-01-01T00:59:59+01:00', '2026-03-01T12:34:00Z'],
  ['9999-12-31T23:59:59.999-00:00', '9999-12-31T23:59:00Z'],
  ['9999-12-31T23:59:59-00:01', '2026-03-01T12:34:00Z'],
  ['2016-12-31T23:59:60.5Z', '2017-01-01T00:00:00Z'],
  ['2017-01-01T00:59:60+01:00', '2017-01-01T00:00:00Z'],
  ['2016-12-31T23:59:60+01:00', '2026-03-01T12:34:00Z'],
  ['9999-12-31T23:59:60Z', '2026-03-01T12:34:00Z'],
])('the minute of %s is %s, as pipelines count it, too', (time, minute) => {
  expect(minuteOf(headers({ ce_time: time }), storedAtMs)).toBe(minute)
})

test('no timestamp is too large to be counted', () => {
  expect(minuteOf(headers({}), Number.MAX_SAFE_INTEGER)).toBe('+275760-09-13T00:00:00Z')
  expect(minuteOf(headers({}), -Number.MAX_SAFE_INTEGER)).toBe('-271821-04-20T00:00:00Z')
})

const account: Account = {
  reader: 'worker/flag',
  topic: 'orders',
  partition: 3,
  from: 10,
  through: 12,
  beyond: 1,
  counts: [{ minute: '2026-03-01T12:34:00Z', outcome: 'processed', events: 3 }],
}

test('an account is read as it was written', () => {
  expect(parseAccount(JSON.parse(JSON.stringify(account)))).toEqual(account)
  const anew = accountAnew('flink/spend', 'order.placed')
  expect(anew.anew).toBe(true)
  expect(parseAccount(JSON.parse(JSON.stringify(anew)))).toEqual(anew)
})

test.each([
  [],
  { ...account, reader: 1 },
  { ...account, through: -1 },
  { ...account, from: 1.5 },
  { ...account, counts: {} },
  { ...account, counts: [{ ...account.counts[0], outcome: 'lost' }] },
  { ...account, counts: [{ ...account.counts[0], events: '3' }] },
])('what is none is not read (%#)', (value) => {
  expect(parseAccount(JSON.parse(JSON.stringify(value)))).toBeUndefined()
})
