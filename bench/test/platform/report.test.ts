import { expect, test } from 'vitest'
import { boundOf } from '../../src/platform/bound.ts'
import { markdownOf } from '../../src/platform/markdown.ts'
import type { Measurement } from '../../src/platform/measure.ts'
import { reportOf } from '../../src/platform/report.ts'
import { measured, percentiles, tooMuch } from './measurements.ts'

const machine = { cores: 2, model: 'a processor', node: 'v26.0.0', loadAverage: { start: 0.5, end: 2.5 } }
const slowResults = (asked: number): Partial<Measurement> => {
  return { latencies: { ...measured(asked).latencies, result: percentiles(1_500) } }
}
const long = { phase: 'long', seconds: 600 } as const
const runs = [
  measured(500),
  measured(1_000),
  measured(2_000, slowResults(2_000)),
  tooMuch(4_000),
  measured(1_000, long),
  { ...tooMuch(4_000), ...long, verdict: { ok: false, settled: false, acknowledged: 9, lost: 2, failed: ['stored'] } },
]

test('the highest rates are told for the short runs and for the long ones', () => {
  const { highest } = reportOf(runs, 4_000, machine)
  expect(highest).toEqual({ find: { keptUp: 2_000, held: 1_000 }, long: { keptUp: 1_000, held: 1_000 } })
})

test('none is told as none', () => {
  const report = reportOf([tooMuch(500)], 500, machine)
  expect(report.highest.find).toEqual({ keptUp: null, held: null })
  expect(markdownOf(report)).toContain('the highest rate that holds is none of those that were tried')
})

test('the page has each limit of the long runs with ok or missed, and every run in the tables', () => {
  const page = markdownOf(reportOf(runs, 4_000, machine))
  expect(page).toContain(
    '- For 45 s: the highest rate that holds is 1,000 events/s, the highest that is kept up with 2,000 events/s.',
  )
  expect(page).toContain('- For 10 min: the highest rate that holds is 1,000 events/s')
  expect(page).toContain('## 4,000 events/s for 10 min')
  expect(page).toContain('| acknowledged, share of the rate | ≥ 0.98 | 0.5 | **missed** |')
  expect(page).toContain('| POST → acknowledged, p95, ms | < 100 | 40 | ok |')
  expect(page).toContain(
    '2 are not in the topic. The verdict is **false** (not everything had flowed to its end, stored).',
  )
  expect(page).toContain(
    '| 2,000 | 45 s | 2,000 | 115 | 40 / 40 / 40 | 200 / 200 / 200 | 1,500 / 1,500 / 1,500 | 1, 0.5 | 30 | 0 | 0 | yes | **no** |',
  )
})

test('cores are told by process, those that use next to none with all else', () => {
  const page = markdownOf(reportOf(runs, 4_000, machine))
  expect(page).toContain(
    '| events/s | for | cores busy | flink | gateway | load and subscribers | kafka-1 | all else |',
  )
  expect(page).toContain('| 500 | 45 s | 1.50 of 2 | 0.60 | 0.40 | 0.25 | 0.10 | 0.15 |')
})

test('the client alone is told beside each run', () => {
  const page = markdownOf(reportOf(runs, 4_000, machine))
  expect(page).toContain('| 4,000 | 10 min | 2,000 | 40 / 40 / 40 | 1,000 | 3 / 5 / 8 | 1,000 | 3 / 5 / 8 |')
})

const busy = (coresBusy: number, coresByProcess: Record<string, number> = { flink: 0.6, gateway: 0.4 }) => {
  return { load: { cores: 2, coresBusy, coresByProcess, memoryBytesMax: 1 } }
}

test('the bound is the processor where the machine is busy, told by who took most', () => {
  const saturated = busy(1.9, { flink: 0.7, gateway: 0.5, 'npm start': 0.3, 'kafka-1': 0.2 })
  expect(boundOf([measured(1_000), { ...tooMuch(2_000), ...saturated }])).toBe(
    'At 2,000 events/s, the lowest rate that it did not keep up with, the bound was the processor: 1.90 of the machine’s 2 cores were busy, the most by flink (0.70), gateway (0.50), load and subscribers (0.30).',
  )
})

test('the bound is one thread where a process that has one uses all of its core', () => {
  const sentence = boundOf([{ ...tooMuch(2_000), ...busy(1.5, { gateway: 0.97, flink: 0.4 }) }])
  expect(sentence).toContain('the bound was one thread: gateway (0.97)')
})

test('a process of many threads is not taken for bounded by one', () => {
  const sentence = boundOf([{ ...tooMuch(2_000), ...busy(1.5, { flink: 0.97, gateway: 0.4 }) }])
  expect(sentence).toContain('the processor was not the bound')
  expect(sentence).toContain('Missed: acknowledged, share of the rate.')
})

test('where all rates are kept up with, the lowest that is too slow is told, and where all hold, the highest', () => {
  const slow = measured(2_000, slowResults(2_000))
  expect(boundOf([slow, measured(1_000)])).toMatch(/^At 2,000 events\/s, the lowest rate that it did not hold, /)
  expect(boundOf([measured(1_000), measured(3_000)])).toMatch(/^Nothing up to 3,000 events\/s/)
})
