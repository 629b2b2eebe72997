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
  expect(parsed).toMatchObject({
    ok: true,
    context: { id: 'made-up', time: '2026-01-01T00:00:00Z' },
    given: { time: false },
  })
})

test('attributes are bounded in number, and so is what is said of them', () => {
  const extensions = (count: number, name: string) =>
    Object.fromEntries(Array.from({ length: count }, (_, n) => [`${name}${n}`, 'x']))
  expect(violationsOf({ ...minimal, ...extensions(252, 'a') })).toEqual([])
  expect(violationsOf({ ...minimal, ...extensions(253, 'a') })).toEqual([''])
  expect(violationsOf({ ...minimal, ...extensions(10_000, 'A') })).toHaveLength(50)
})

test('everything that is missing is named at once', () => {
  expect(violationsOf({})).toEqual(expect.arrayContaining(['/source', '/type', '/specversion', '/data']))
})

test.each([
  ['an attribute that is no string', { ...minimal, id: 7 }, '/id'],
  ['an empty source', { ...minimal, source: '' }, '/source'],
  ['another version', { ...minimal, specversion: '0.3' }, '/specversion'],
  ['a time that is none', { ...minimal, time: 'yesterday' }, '/time'],
  ['a day that is none', { ...minimal, time: '2026-02-30T00:00:00Z' }, '/time'],
  ['an hour that is none', { ...minimal, time: '2026-02-01T24:00:00Z' }, '/time'],
  ['a control character', { ...minimal, subject: 'a\u0000b' }, '/subject'],
  ['an attribute name with capitals', { ...minimal, Extension: 'x' }, '/Extension'],
  ['data twice', { ...minimal, data_base64: 'AA==' }, '/data_base64'],
  ['bytes that are no Base64', { ...minimal, data: undefined, data_base64: 'A*==' }, '/data_base64'],
  ['Base64 without its padding', { ...minimal, data: undefined, data_base64: 'AA' }, '/data_base64'],
  ['a source that is null', { ...minimal, source: null }, '/source'],
  ['a type that is null', { ...minimal, type: null }, '/type'],
])('%s is refused with its pointer', (_what, value, pointer) => {
  expect(violationsOf(value)).toContain(pointer)
})

test('bytes are taken in Base64', () => {
  const { data, ...envelope } = minimal
  expect(parseStructuredEvent({ ...envelope, data_base64: 'AAE=' }, defaults)).toMatchObject({
    ok: true,
    content: { base64: 'AAE=' },
  })
  expect(parseStructuredEvent({ ...envelope, data, data_base64: null }, defaults)).toMatchObject({ content: { data } })
})

test('an event comes back from its Kafka record as it was sent', () => {
  const sent = { ...minimal, id: 'a', time: '2026-01-01T00:00:00Z', subject: 'ü', traceparent: 'of its producer' }
  const parsed = parseStructuredEvent(sent, defaults)
  if (!parsed.ok) throw new Error('the event is valid')
  const trace = new Map([['traceparent', '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01']])
  const schemaUrl = 'https://registry/schemas/ids/7'
  const headers = recordHeaders(parsed.context, { schemaUrl, contentType: 'application/json', trace, fingerprint: 'f' })
  expect(headers.get('traceparent')).toBe(trace.get('traceparent'))
  expect(headers.has('ce_traceparent')).toBe(false)
  expect(headers.get('millrace_fingerprint')).toBe('f')
  const back = eventOfRecord(headers, minimal.data)
  expect(back && structuredEvent(back)).toEqual({
    ...sent,
    traceparent: trace.get('traceparent'),
    dataschema: schemaUrl,
    datacontenttype: 'application/json',
  })
})

test('an event whose record is not JSON says that its data is, as it is read', () => {
  const parsed = parseStructuredEvent({ ...minimal, id: 'a' }, defaults)
  if (!parsed.ok) throw new Error('the event is valid')
  const facts = { schemaUrl: 'https://registry/schemas/ids/7', contentType: 'application/avro' }
  const headers = recordHeaders(parsed.context, facts)
  expect(headers.get('content-type')).toBe('application/avro')
  expect(eventOfRecord(headers, minimal.data)?.attributes['datacontenttype']).toBe('application/json')
})
