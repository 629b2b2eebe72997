import { describe, expect, test } from 'vitest'
import { count, percentiles, type Summary, summaryLines } from '../src/summary.ts'
import type { Verdict } from '../src/verdict/judge.ts'
import { latencies, numbers, percentilesOf } from './run-numbers.ts'

const check = { name: 'stored', says: 'every acknowledged event is stored', ok: true, compared: 120_000, differing: 0 }

const atPipeline = { counted: 119_900, missed: 41, open: 59, dead: 0 }

const verdict: Verdict = {
  ok: true,
  checks: [{ ...check, firstRows: [] }],
  findings: {
    ...{
      acknowledged: 120_000,
      fed: 4_122,
      unconfirmed: 0,
      refused: 0,
      stored: 120_000,
      copies: 0,
      firstCopies: [],
      fromOthers: 0,
    },
    pipelines: [
      { ...atPipeline, pipeline: 'delay-per-airport', results: 52_400, revisions: 1_100, late: 7 },
      { ...atPipeline, pipeline: 'departures-per-airport', results: 51_300, revisions: 0, late: 41 },
    ],
    ...{ results: 51_300, windowsClosed: 310 },
    ...{ watermark: '2001-03-04T05:06:07Z', warehouseRows: 51_300, loadedUpTo: [] },
  },
}

const summary: Summary = {
  ok: true,
  started: { seconds: 20, cpuSeconds: 30, memoryBytes: 3e9 },
  replay: { ...numbers, end: 'stopped', eventsPerSecondAsked: 2_000 },
  feeds: [
    { type: 'quake.recorded', format: 'avro', acknowledged: 1_200, of: 1_707 },
    { type: 'weather.observed', format: 'protobuf', acknowledged: 2_922, of: 2_922 },
  ],
  latencies,
  lagAtEnd: { pipelines: 1_500, sink: 20 },
  restarts: {},
  load: {
    cores: 4,
    coresBusy: 2.04,
    coresByProcess: { flink: 0.71, gateway: 0.5, 'kafka-1': 0.3, 'kafka-2': 0.2, 'kafka-3': 0.1 },
    memoryBytesMax: 3_210_400_000,
  },
  settled: true,
  verdict,
}

const linesOf = (changed: Partial<Summary>): string[] => summaryLines({ ...summary, ...changed })
const bottleneckOf = (changed: Partial<Summary>): string =>
  linesOf(changed).find((line) => line.startsWith('bottleneck')) ?? ''

test('a run in which nothing was lost', () => {
  expect(summaryLines(summary)).toEqual([
    '120 000 events acknowledged at 2 000 events/s, in batches of 48 on average',
    'POST → acknowledged                     p50    12 ms   p95    34 ms   p99    56 ms',
    'POST → live subscriber                  p50     1 ms   p95     2 ms   p99 1 234 ms',
    'watermark past a window → its result    p50   700 ms   p95   900 ms   p99 1 000 ms',
    'sent again 0, recognised as duplicates 0, missed by the live streams 0',
    'beside the flights: quake.recorded (avro) 1 200 of 1 707, weather.observed (protobuf) 2 922 of 2 922 acknowledged',
    'bottleneck: none at the rate asked for, 2.0 of 4 cores were busy (flink 0.71, gateway 0.50, kafka-1 0.30, kafka-2 0.20); at the end the slowest pipeline was 1 500 events behind',
    'memory of all processes at most 3210 MB',
    '',
    '✓ every acknowledged event is stored (120 000)',
    '  delay-per-airport: 52 400 results, 1 100 of them revisions, 7 events late',
    '  departures-per-airport: 51 300 results, 41 events late',
    'verdict: true — 120 000 acknowledged, 120 000 stored (no copies), 51 300 results, 51 300 rows in the warehouse',
  ])
})

describe('the verdict', () => {
  test('shows the first rows that break an equality', () => {
    const firstRows = [
      { id: '7', sha256: null },
      { id: '8', sha256: 'ab' },
    ]
    const broken = { ...check, name: 'lost', ok: false, differing: 1_002, firstRows }
    const lines = linesOf({ ok: false, verdict: { ...verdict, ok: false, checks: [...verdict.checks, broken] } })
    expect(lines.slice(-7)).toEqual([
      '✓ every acknowledged event is stored (120 000)',
      '✗ every acknowledged event is stored: 1 002 of 120 000 differ, the first of them:',
      '    {"id":"7","sha256":null}',
      '    {"id":"8","sha256":"ab"}',
      expect.stringContaining('delay-per-airport'),
      expect.stringContaining('departures-per-airport'),
      expect.stringMatching(/^verdict: FALSE — 120 000 acknowledged, /),
    ])
  })

  test('is false for a run in which nothing was acknowledged, and says so', () => {
    const replay = { ...summary.replay, acknowledged: 0 }
    expect(linesOf({ ok: false, replay }).at(-1)).toBe('verdict: FALSE, for nothing was acknowledged in this run')
  })

  test('counts the copies, which are no reason to be false', () => {
    const findings = { ...verdict.findings, stored: 121_234, copies: 1_234 }
    expect(linesOf({ verdict: { ...verdict, findings } }).at(-1)).toContain(
      'verdict: true — 120 000 acknowledged, 121 234 stored (1 234 identical copies), ',
    )
  })
})

test('what died and was started again is named', () => {
  expect(linesOf({ restarts: { 'kafka-2': 1, flink: 2 } })).toContain(
    'died and were started again: kafka-2 1×, flink 2×',
  )
})

test('a verdict that did not wait for the end of everything says so', () => {
  expect(linesOf({ settled: false })).toContain('a pipeline or the sink had not caught up when the verdict was reached')
})

test('when all flights have been replayed it is said how to start over', () => {
  expect(linesOf({ replay: { ...summary.replay, end: 'exhausted' } })).toContain(
    'all flights have been replayed: "npx millrace down --wipe" starts over',
  )
})

describe('the bottleneck', () => {
  test.each<readonly [string, string, number, number | null, number]>([
    ['none', 'none at the rate asked for', 3.59, 2_000, 1_800],
    ['the processor, from nine tenths of the cores', 'the processor', 3.6, 2_000, 2_000],
    ['something else, when the rate was not held', 'not the processor', 3.59, 2_000, 1_799],
    ['something else, when no rate was asked for', 'not the processor', 3.59, null, 9_000],
  ])('is %s', (_, named, coresBusy, eventsPerSecondAsked, eventsPerSecond) => {
    const text = bottleneckOf({
      load: { ...summary.load, coresBusy },
      replay: { ...summary.replay, eventsPerSecondAsked, eventsPerSecond },
    })
    expect(text.startsWith(`bottleneck: ${named}, 3.6 of 4 cores were busy (`)).toBe(true)
  })

  test('says nothing of a lag that is not known', () => {
    expect(bottleneckOf({ lagAtEnd: undefined })).toMatch(/kafka-2 0\.20\)$/)
  })
})

test.each([
  [0, '0'],
  [0.5, '1'],
  [999.4, '999'],
  [999.5, '1 000'],
  [1_234_567, '1 234 567'],
])('%d is written as %s', (value, text) => {
  expect(count(value)).toBe(text)
})

test('percentiles are written one below the other, or as not seen', () => {
  expect(percentiles(percentilesOf(1.4, 12_345, 123_456))).toBe('p50     1 ms   p95 12 345 ms   p99 123 456 ms')
  expect(percentiles(percentilesOf())).toBe('not seen yet')
})
