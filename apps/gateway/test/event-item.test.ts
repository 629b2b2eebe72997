import type { StoredRecord } from '@millrace/kafka/reader'
import { expect, test } from 'vitest'
import { createItems, itemOf as itemOfData } from '../src/event-item.ts'
import { readJson } from './read-json.ts'

const headers = new Map([
  ['ce_specversion', '1.0'],
  ['ce_id', 'a'],
  ['ce_source', '/test'],
  ['ce_type', 'order.placed'],
  ['ce_time', '2030-01-01T00:00:00Z'],
  ['ce_tenant', 'blue'],
  ['content-type', 'application/json'],
  ['traceparent', '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'],
])
const record: StoredRecord = {
  topic: 'order.placed',
  partition: 3,
  offset: 41n,
  timestampMs: Date.UTC(2030, 0, 1),
  key: null,
  value: Buffer.from('{"amount":1}'),
  headers,
}

function itemOf(read: StoredRecord) {
  const items = createItems({ find: () => undefined, isHidden: () => false }, readJson)([read])
  return items instanceof Promise ? itemOfData(read, undefined) : (items[0] ?? itemOfData(read, undefined))
}

test('a record is read as the CloudEvent that it holds, with its place and when it was stored', () => {
  expect(itemOf(record)).toEqual({
    event: {
      specversion: '1.0',
      id: 'a',
      source: '/test',
      type: 'order.placed',
      time: '2030-01-01T00:00:00Z',
      tenant: 'blue',
      traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
      datacontenttype: 'application/json',
      data: { amount: 1 },
    },
    partition: 3,
    offset: 41,
    timestamp: '2030-01-01T00:00:00.000Z',
  })
})

test('a record without a value is an event without data', () => {
  expect(itemOf({ ...record, value: null }).event).toMatchObject({ id: 'a', data: null })
})

test('bytes that are not JSON are shown as they are', () => {
  const value = Buffer.from([0, 1, 0xff])
  expect(itemOf({ ...record, value }).event).toMatchObject({ id: 'a', data_base64: value.toString('base64') })
})

test('a record that is no CloudEvent is shown by its bytes', () => {
  expect(itemOf({ ...record, headers: new Map([['ce_id', 'a']]) }).event).toEqual({
    specversion: '1.0',
    id: 'a',
    data_base64: Buffer.from('{"amount":1}').toString('base64'),
  })
  expect(itemOf({ ...record, headers: new Map(), value: null }).event).toEqual({
    specversion: '1.0',
    data_base64: null,
  })
})

test.each([
  [-9_000_000_000_000_000_000, '0000-01-01T00:00:00.000Z'],
  [-1, '1969-12-31T23:59:59.999Z'],
  [9_000_000_000_000_000_000, '9999-12-31T23:59:59.999Z'],
])('a record of a time that nobody can write is shown by the nearest: %i', (timestampMs, timestamp) => {
  expect(itemOf({ ...record, timestampMs }).timestamp).toBe(timestamp)
})

test('records whose schema must be asked for keep their order; one that cannot be told is shown by its bytes', async () => {
  const data = ['first', Promise.resolve('second'), Promise.reject(new Error('the registry is away'))]
  const items = createItems({ find: () => undefined, isHidden: () => false }, (_entry, { size }) =>
    size > 0 ? data.shift() : undefined,
  )
  const read = await items([record, record, record])
  expect(read.map(({ event }) => event['data'] ?? event['data_base64'])).toEqual([
    'first',
    'second',
    record.value?.toString('base64'),
  ])
})

test('of records that are not to be shown the data is not', () => {
  const items = createItems({ find: () => undefined, isHidden: (topic) => topic === 'hidden' }, readJson)
  expect(items([{ ...record, topic: 'hidden' }, record])).toMatchObject([
    { event: { id: 'a', data: null } },
    { event: { id: 'a', data: { amount: 1 } } },
  ])
})
