import { count, sum } from '@millrace/core/aggregate'
import { correct, pipeline } from '@millrace/core/pipeline'
import { session, sliding, tumbling } from '@millrace/core/window'
import { expect, test } from 'vitest'
import { evaluatePipeline } from '../src/evaluate.ts'
import { hourly, order, orderPlaced } from './orders.ts'

test('sliding windows overlap: an event is in those that are open, and late when none is', () => {
  const sliding10 = pipeline('sliding-10')
    .from(orderPlaced)
    .window(sliding('10 minutes', { every: '5 minutes' }))
    .watermark({ outOfOrderness: '1 second' })
    .groupBy(() => ({}))
    .aggregate((event) => ({ spent: sum(event.amount) }))
  const { outcomes, results, open } = evaluatePipeline(sliding10, 1, [
    order('10:02:00', { amount: 1 }),
    order('10:06:00', { amount: 2 }),
    // The window from 9:55 has closed, that from 10:00 has not.
    order('10:03:00', { amount: 4 }),
    order('10:10:01', { amount: 8 }),
    order('10:04:59.999', { amount: 16 }),
  ])
  expect(outcomes).toEqual(['processed', 'processed', 'processed', 'processed', 'late'])
  const spent = [...results, ...open].map(({ windowStartMs, windowEndMs, aggregates }) => [
    ...[windowStartMs, windowEndMs].map((ms) => new Date(ms).toISOString().slice(11, 16)),
    aggregates.get('spent'),
  ])
  expect(spent).toEqual([
    ['09:55', '10:05', 1],
    ['10:00', '10:10', 7],
    ['10:05', '10:15', 10],
    ['10:10', '10:20', 8],
  ])
  expect(() => sliding('10 minutes', { every: '4 minutes' })).toThrow('must be a multiple')
})

test('a session goes on while its group is active, joins others that it touches, and what is filtered does not prolong it', () => {
  const sessions = pipeline('sessions')
    .from(orderPlaced)
    .where((event) => event.amount.gt(0))
    .window(session('10 minutes'))
    .watermark({ outOfOrderness: '5 minutes' })
    .groupBy((event) => ({ customer: event.customer }))
    .aggregate((event) => ({ orders: count(), spent: sum(event.amount) }))
  const { outcomes, results, open } = evaluatePipeline(sessions, 1, [
    order('10:00:00', { amount: 1 }),
    order('10:14:00', { amount: 2 }),
    order('10:11:00', { amount: 0 }),
    order('10:07:00', { amount: 4 }),
    order('10:22:00', { amount: 8, customer: 'eve' }),
    order('10:31:00', { amount: 16, customer: 'eve' }),
    order('10:40:00', { amount: 32, customer: 'eve' }),
    // Its own ten minutes have passed, though the session that it would touch is open.
    order('10:14:00', { amount: 64, customer: 'eve' }),
  ])
  expect(outcomes).toEqual([
    ...['processed', 'processed', 'filtered', 'processed', 'processed', 'processed', 'processed', 'late'],
  ])
  const spent = [...results, ...open].map(({ windowStartMs, windowEndMs, groups, aggregates, provenance }) => [
    groups.get('customer'),
    ...[windowStartMs, windowEndMs].map((ms) => new Date(ms).toISOString().slice(11, 16)),
    aggregates.get('spent'),
    provenance.filtered,
  ])
  expect(spent).toEqual([
    ['ada', '10:00', '10:24', 7, undefined],
    ['eve', '10:22', '10:50', 56, undefined],
  ])
})

test('each event that is late within the bound revises the result of its window, and a later one is late', () => {
  const corrected = hourly('corrected')
    .late(correct({ within: '1 hour' }))
    .groupBy((event) => ({ customer: event.customer }))
    .aggregate((event) => ({ spent: sum(event.amount) }))
  expect(corrected.lateTopic).toBeUndefined()
  const { outcomes, results, open } = evaluatePipeline(corrected, 1, [
    order('10:00:00', { amount: 1 }),
    order('11:05:00', { amount: 2 }),
    order('10:30:00', { amount: 4 }),
    order('10:59:59.999', { amount: 8 }),
    order('10:00:00', { amount: 16, customer: 'eve' }),
    order('12:05:00', { amount: 32 }),
    order('10:30:00', { amount: 64 }),
  ])
  expect(outcomes).toEqual([...Array.from({ length: 6 }, () => 'processed'), 'late'])
  const revisions = results.map(({ groups, aggregates, provenance: { revision, late } }) => [
    ...[groups.get('customer'), aggregates.get('spent')],
    ...[revision, late],
  ])
  expect(revisions).toEqual([
    ['ada', 1, 1, 0],
    ['ada', 5, 2, 1],
    ['ada', 13, 3, 2],
    ['eve', 16, 1, 1],
    ['ada', 2, 1, 0],
  ])
  expect(open).toHaveLength(1)
  const sliding2 = pipeline('sliding-2')
    .from(orderPlaced)
    .window(sliding('2 hours', { every: '1 hour' }))
  const late = sliding2.watermark({ outOfOrderness: '5 minutes' }).late(correct({ within: '1 hour' }))
  expect(() => late.groupBy(() => ({})).aggregate(() => ({ orders: count() }))).toThrow('only tumbling ones can be')
})

test('a result says how many events it is over, how many were filtered, and where they are', () => {
  const paid = pipeline('paid')
    .from(orderPlaced)
    .where((event) => event.amount.gt(0))
    .window(tumbling('1 hour'))
    .watermark({ outOfOrderness: '5 minutes' })
    .groupBy((event) => ({ customer: event.customer }))
    .aggregate(() => ({ orders: count() }))
  const { open } = evaluatePipeline(paid, 2, [
    { ...order('10:00:00', { amount: 1 }, 0), offset: 7 },
    { ...order('10:00:00', { amount: 1 }, 1), offset: 3 },
    { ...order('10:00:01', { amount: 0 }, 1), offset: 4 },
    { ...order('10:00:00', { amount: 1 }, 0), offset: 9 },
    { ...order('10:00:00', { amount: 0, customer: 'eve' }, 0), offset: 10 },
  ])
  expect(open.map(({ provenance }) => provenance)).toEqual([
    {
      revision: 1,
      events: 3,
      late: 0,
      filtered: 1,
      offsets: new Map([
        [0, [7, 9]],
        [1, [3, 3]],
      ]),
    },
  ])
})
