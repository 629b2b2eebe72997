import { expect, test } from 'vitest'
import { judge } from '../../src/platform/judgement.ts'
import type { Measurement } from '../../src/platform/measure.ts'
import { measured, percentiles } from './measurements.ts'

const kept = measured(1_000)
const { latencies, verdict } = kept
const atEnd = { pipelines: 0, sink: 0 }
const judged = (changed: Partial<Measurement>) => {
  const { keepsUp, holds, checks } = judge({ ...kept, ...changed })
  return { keepsUp, holds, missed: checks.filter(({ ok }) => !ok).map(({ what }) => what) }
}

test.each<[string, Partial<Measurement>]>([
  ['as it was asked', {}],
  ['98 % of the rate', { rate: { asked: 1_000, achieved: 980 } }],
  ['a lag of just under a minute', { lag: { atMost: 59_999, atEnd: { pipelines: 59_999, sink: 0 } } }],
  ['any lag of the sink', { lag: { atMost: 0, atEnd: { pipelines: 0, sink: 1e9 } } }],
  [
    'latencies just under their limits',
    { latencies: { api: percentiles(99), live: percentiles(999), result: percentiles(999) } },
  ],
])('%s holds', (_, changed) => {
  expect(judged(changed)).toEqual({ keepsUp: true, holds: true, missed: [] })
})

test.each<[string, Partial<Measurement>, string]>([
  ['less than 98 % of the rate', { rate: { asked: 1_000, achieved: 979.9 } }, 'acknowledged, share of the rate'],
  ['a lag of a minute in between', { lag: { atMost: 60_000, atEnd } }, 'lag of the pipeline at most, s'],
  [
    'a lag of a minute at the end',
    { lag: { atMost: 0, atEnd: { pipelines: 60_000, sink: 0 } } },
    'lag of the pipeline at the end, s',
  ],
  ['a lag that is not known', { lag: { atMost: 0, atEnd: null } }, 'lag of the pipeline at the end, s'],
  ['a lost event', { verdict: { ...verdict, lost: 1 } }, 'acknowledged events lost; verdict of the ledger'],
  ['a false verdict', { verdict: { ...verdict, ok: false } }, 'acknowledged events lost; verdict of the ledger'],
])('%s is not kept up with', (_, changed, what) => {
  expect(judged(changed)).toEqual({ keepsUp: false, holds: false, missed: [what] })
})

test.each<[string, Partial<Measurement>]>([
  ['an answer after 100 ms', { latencies: { ...latencies, api: percentiles(100) } }],
  ['a live event after 1 s', { latencies: { ...latencies, live: percentiles(1_000) } }],
  ['a result after 1 s', { latencies: { ...latencies, result: percentiles(1_000) } }],
  ['no result at all', { latencies: { ...latencies, result: percentiles(undefined) } }],
])('%s is kept up with and does not hold', (_, changed) => {
  expect(judged(changed)).toEqual({ keepsUp: true, holds: false, missed: [expect.stringContaining('p95')] })
})
