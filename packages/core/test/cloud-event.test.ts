import { expect, test } from 'vitest'
import { parseStructuredEvent, structuredEvent } from '../src/cloud-event.ts'
import { eventOfRecord, recordHeaders } from '../src/kafka-binding.ts'

const defaults = { id: () => 'made-up', time: () => '2026-01-01T00:00:00Z' }
const minimal = { specversion: '1.0', source: '/test', type: 'order.placed', data: { n: 1 } }

function violationsOf(value: unknown) {
  const parsed = parseStructuredEvent(value, defaults)
  return parsed.ok ? [] : parsed.violations.map(({ pointer }) => pointer)
}

test('id and time are filled in where a producer left them out', () => {
  const parsed = parseStructuredEvent(minimal, defaults)
  expect(parsed).toMatchObject({ ok: true, event: { id: 'made-up', time: '2026-01-01T00:00:00Z' } })
})

test('everything that is missing is named at once', () => {
  expect(violationsOf({})).toEqual(expect.arrayContaining(['/source', '/type', '/specversion', '/data']))
})

test.each([
  ['an attribute that is no string', { ...minimal, id: 7 }, '/id'],
  ['an empty source', { ...minimal, source: '' }, '/source'],
  ['another version', { ...minimal, specversion: '0.3' }, '/specversion'],
  ['a time that is none', { ...minimal, time: 'yesterday' }, '/time'],
  ['an attribute name with capitals', { ...minimal, Extension: 'x' }, '/Extension'],
  ['binary data for a JSON type', { ...minimal, data_base64: 'AA==' }, '/data_base64'],
])('%s is refused with its pointer', (_what, value, pointer) => {
  expect(violationsOf(value)).toContain(pointer)
})

test('an event comes back from its Kafka record as it was sent', () => {
  const parsed = parseStructuredEvent({ ...minimal, id: 'a', time: '2026-01-01T00:00:00Z', subject: 'ü' }, defaults)
  if (!parsed.ok) throw new Error('the event is valid')
  const trace = new Map([['traceparent', '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01']])
  const headers = recordHeaders(parsed.event, 'https://registry/schemas/ids/7', trace)
  expect(headers.get('traceparent')).toBe(trace.get('traceparent'))
  const back = eventOfRecord(headers, parsed.event.data)
  expect(back && structuredEvent(back)).toMatchObject({ ...minimal, id: 'a', subject: 'ü' })
})
