import { count } from '@millrace/core/aggregate'
import { eventType } from '@millrace/core/event-type'
import type { Columns } from '@millrace/core/expression'
import { correct, pipeline } from '@millrace/core/pipeline'
import { session, sliding, tumbling, type Window } from '@millrace/core/window'
import { expect, test } from 'vitest'
import { evaluatePipeline } from '../src/evaluate.ts'
import { isEventOf, readResult } from '../src/explain.ts'
import type { PipelineDefinition } from '../src/pipeline-definition.ts'
import { publishedProvenance } from '../src/published-result.ts'
import type { PipelineRecord } from '../src/read-record.ts'
import { hourly, order, orderPlaced, record, stored } from './orders.ts'

const utf8 = new TextEncoder()

type Offsets = readonly (readonly [partition: number, first: number, last: number])[]
/** A result of a window, as a record of its topic. */
function resultOf(data: Record<string, unknown> | string, offsets: Offsets) {
  const provenance = { revision: 1, events: 1, late: 0, filtered: 0 }
  const ranges = new Map(offsets.map(([partition, first, last]) => [partition, [first, last]] as const))
  const headers = publishedProvenance({ ...provenance, offsets: ranges })
  return { headers, value: utf8.encode(typeof data === 'string' ? data : JSON.stringify(data)) }
}

const ten = { windowStart: '2030-01-01T10:00:00Z', windowEnd: '2030-01-01T11:00:00Z' }

/** Whether a record is among the events of a result that has offsets 10 to 20 of partitions 0 and 1. */
function isToldBy(definition: PipelineDefinition, data: Record<string, unknown> | string) {
  const offsets: Offsets = [
    [0, 10, 20],
    [1, 10, 20],
  ]
  const result = readResult(definition, resultOf(data, offsets))
  if (!result) throw new TypeError('no result')
  return (one: PipelineRecord, offset = 15) => isEventOf(definition, result, { ...one, offset })
}

const positive = pipeline('positive')
  .from(orderPlaced)
  .where((event) => event.amount.gt(0))
  .window(tumbling('1 hour'))
  .watermark({ outOfOrderness: '5 minutes' })
  .groupBy((event) => ({ customer: event.customer }))
  .aggregate(() => ({ orders: count() }))

const paid = (at: string, fields: Record<string, unknown> = {}, partition = 0) =>
  order(at, { amount: 1, ...fields }, partition)

test.each<[string, boolean, PipelineRecord, number?]>([
  ['in the middle', true, paid('10:30:00')],
  ['at the first offset, and the first moment', true, paid('10:00:00'), 10],
  ['at the last offset, and the last millisecond', true, paid('10:59:59.999'), 20],
  ['in another partition', true, paid('10:30:00', {}, 1)],
  ['before the first offset', false, paid('10:30:00'), 9],
  ['behind the last offset', false, paid('10:30:00'), 21],
  ['in a partition without any', false, paid('10:30:00', {}, 2)],
  ['a millisecond before the window', false, paid('09:59:59.999')],
  ['at the end of the window', false, paid('11:00:00')],
  ['of another group', false, paid('10:30:00', { customer: 'eve' })],
  ['that the filter takes out', false, paid('10:30:00', { amount: 0 })],
  ['of which the filter says nothing', false, order('10:30:00')],
  ['that is malformed', false, record('{')],
  ['that lacks what the schema asks for', false, record('{"amount":1,"at":"2030-01-01T10:30:00Z"}')],
  ['without a time', false, paid('10:30:00', { at: 'noon' })],
  ['without data', false, { partition: 0, ...stored, headers: new Map(), value: null }],
  ['too far ahead', false, { ...paid('10:30:00'), timestampMs: Date.parse('2030-01-01T09:29:59.999Z') }],
  ['as far ahead as may be', true, { ...paid('10:30:00'), timestampMs: Date.parse('2030-01-01T09:30:00Z') }],
  ['for another reader', false, { ...paid('10:30:00'), headers: new Map([['millrace_replay_for', 'worker/a']]) }],
  ['replayed for it', true, { ...paid('10:30:00'), headers: new Map([['millrace_replay_for', 'flink/positive']]) }],
])('an event %s: %s', (_what, isAmong, one, offset) => {
  expect(isToldBy(positive, { customer: 'ada', ...ten })(one, offset)).toBe(isAmong)
})

const grouped = (by: Parameters<ReturnType<typeof hourly>['groupBy']>[0]) =>
  hourly('grouped')
    .groupBy(by)
    .aggregate(() => ({ orders: count() }))

test('null is a group, a text of its name another', () => {
  const isTold = isToldBy(
    grouped((event) => ({ coupon: event.coupon })),
    ten,
  )
  expect(isTold(order('10:30:00'))).toBe(true)
  expect(isTold(order('10:30:00', { coupon: null }))).toBe(true)
  expect(isTold(order('10:30:00', { coupon: 'null' }))).toBe(false)
})

test('0 and -0 are two groups, 1 and 1.0 one', () => {
  const byAmount = grouped((event) => ({ amount: event.amount }))
  const { windowStart, windowEnd } = ten
  const of = (amount: string) =>
    isToldBy(byAmount, `{"amount":${amount},"windowStart":"${windowStart}","windowEnd":"${windowEnd}"}`)
  const event = (amount: string) => record(`{"customer":"ada","at":"2030-01-01T10:30:00Z","amount":${amount}}`)
  expect(of('-0.0')(event('-0.0'))).toBe(true)
  expect(of('-0.0')(event('0'))).toBe(false)
  expect(of('0.0')(event('-0'))).toBe(false)
  expect(of('1.0')(event('1'))).toBe(true)
})

test('groups are of all that is computed: integers of 64 bits, times, several at once', () => {
  const isTold = isToldBy(
    grouped((event) => ({ next: event.items.plus(1), at: event.at })),
    `{"next":9007199254740994,"at":"2030-01-01T10:30:00.5Z","windowStart":"${ten.windowStart}","windowEnd":"${ten.windowEnd}"}`,
  )
  const event = (items: string, at: string) => record(`{"customer":"ada","at":"2030-01-01T${at}Z","items":${items}}`)
  expect(isTold(event('9007199254740993', '10:30:00.500'))).toBe(true)
  expect(isTold(event('9007199254740992', '10:30:00.500'))).toBe(false)
  expect(isTold(event('9007199254740993', '10:30:00'))).toBe(false)
})

const over = (window: Window) =>
  pipeline('over')
    .from(orderPlaced)
    .window(window)
    .watermark({ outOfOrderness: '1 second' })
    .groupBy(() => ({}))
    .aggregate(() => ({ orders: count() }))

test('of sliding windows the very one counts, not others that the event is in', () => {
  const half = sliding('1 hour', { every: '30 minutes' })
  const isTold = isToldBy(over(half), { windowStart: '2030-01-01T10:30:00Z', windowEnd: '2030-01-01T11:30:00Z' })
  expect(
    [order('10:29:59.999'), order('10:30:00'), order('11:29:59'), order('11:30:00')].map((one) => isTold(one)),
  ).toEqual([false, true, true, false])
})

test('a session has what lies from its start to a gap before its end', () => {
  const isTold = isToldBy(over(session('10 minutes')), ten)
  expect(
    [order('09:59:59.999'), order('10:00:00'), order('10:50:00'), order('10:50:00.001')].map((one) => isTold(one)),
  ).toEqual([false, true, true, false])
})

test('a late event that lies within a session is told too: more are found than were counted', () => {
  const sessions = over(session('10 minutes'))
  const input = ['10:00:00', '10:09:00', '10:18:00', '10:05:00', '10:20:00', '12:00:00'].map((at, offset) => ({
    ...order(at),
    offset,
  }))
  const { outcomes, results } = evaluatePipeline(sessions, 1, input)
  expect(outcomes).toEqual(['processed', 'processed', 'processed', 'late', 'processed', 'processed'])
  const [first] = results
  if (!first) throw new TypeError('no result')
  expect(first.provenance.events).toBe(4)
  expect(input.filter((one) => isEventOf(sessions, first, one)).map(({ offset }) => offset)).toEqual([0, 1, 2, 3, 4])
})

test('where the type reads no time from its data, an event has that of its header', () => {
  const views = pipeline('views')
    .from(eventType('page.viewed', { schema: { type: 'object', properties: { page: { type: 'string' } } } }))
    .window(tumbling('1 hour'))
    .watermark({ outOfOrderness: '1 second' })
    .groupBy((event) => ({ page: event.page }))
    .aggregate(() => ({ views: count() }))
  const isTold = isToldBy(views, { page: '/', ...ten })
  expect(isTold(record('{"page":"/"}', 0, { ce_time: '2030-01-01T11:59:59+01:00' }))).toBe(true)
  expect(isTold(record('{"page":"/"}', 0, { ce_time: '2030-01-01T11:59:59Z' }))).toBe(false)
  expect(isTold(record('{"page":"/"}'))).toBe(false)
})

test('each revision of a corrected result has the events that it was computed over', () => {
  const corrected = hourly('corrected')
    .late(correct({ within: '2 hours' }))
    .groupBy((event: Columns<typeof orderPlaced.fields>) => ({ customer: event.customer }))
    .aggregate(() => ({ orders: count() }))
  const input = ['10:00:00', '11:30:00', '10:01:00', '10:02:00'].map((at, offset) => ({ ...order(at), offset }))
  const { results } = evaluatePipeline(corrected, 1, input)
  expect(
    results.map((result) => input.flatMap((one) => (isEventOf(corrected, result, one) ? one.offset : []))),
  ).toEqual([[0], [0, 2], [0, 2, 3]])
})

test.each([
  ['that is none', '{'],
  ['without a window', { customer: 'ada', windowStart: ten.windowStart }],
  [
    'of a window that is as long as none of the pipeline',
    { customer: 'ada', ...ten, windowEnd: '2030-01-01T10:30:00Z' },
  ],
  [
    'of a window that begins when none of the pipeline does',
    { customer: 'ada', windowStart: '2030-01-01T10:30:00Z', windowEnd: '2030-01-01T11:30:00Z' },
  ],
  ['whose group is of another type', { customer: 5, ...ten }],
])('a record %s is no result of the pipeline', (_what, data) => {
  expect(readResult(positive, resultOf(data, [[0, 1, 2]]))).toBeUndefined()
})

test('a session is no shorter than the gap', () => {
  const { windowStart } = ten
  const of = (windowEnd: string) =>
    readResult(over(session('10 minutes')), resultOf({ windowStart, windowEnd }, [[0, 1, 2]]))
  expect(of('2030-01-01T10:09:59.999Z')).toBeUndefined()
  expect(of('2030-01-01T10:10:00Z')).toBeDefined()
})

test.each([
  ['', undefined],
  ['0:1-2', [[0, [1, 2]]]],
  ['0:1-2,7:3-3', [[0, [1, 2]], [7, [3, 3]]]], // prettier-ignore
  ['0:2-1', undefined],
  ['0:1-2,0:3-4', undefined],
  ['0:1-2,', undefined],
  ['0:-1-2', undefined],
  ['0:1-9007199254740993', undefined],
  ['0:1e3-2e3', undefined],
])('the offsets "%s" are read as %j', (offsets, expected) => {
  const { headers, value } = resultOf({ customer: 'ada', ...ten }, [[0, 1, 2]])
  headers.set('ce_offsets', offsets)
  const read = readResult(positive, { headers, value })?.provenance.offsets
  expect(read && [...read]).toEqual(expected)
})

test.each(['ce_revision', 'ce_counted', 'ce_late', 'ce_offsets'])('without %s a record is no result', (name) => {
  const { headers, value } = resultOf({ customer: 'ada', ...ten }, [[0, 1, 2]])
  expect(readResult(positive, { headers, value })).toBeDefined()
  headers.delete(name)
  expect(readResult(positive, { headers, value })).toBeUndefined()
})
