import { expect, test } from 'vitest'
import type { Mode } from '../src/ingest/events.ts'
import type { LoadKind, Measurement } from '../src/ingest/measure.ts'
import type { SubjectName } from '../src/ingest/platform.ts'
import { markdownOf } from '../src/ingest/markdown.ts'
import { plotOf } from '../src/ingest/plot.ts'
import { reportOf } from '../src/ingest/report.ts'
import { median } from '../src/median.ts'

function measured(
  subject: SubjectName,
  mode: Mode,
  kind: LoadKind,
  round: number,
  perCpu: number,
  p95 = 1,
): Measurement {
  return {
    subject,
    mode,
    kind,
    round,
    offeredPerSecond: null,
    events: 1,
    failures: 0,
    unsent: 0,
    seconds: 1,
    latencyMs: { p50: 1, p95, p99: p95, max: p95 },
    eventsPerSecond: 1,
    eventsPerCpuSecond: perCpu,
    memoryBytes: 1e6,
    cores: { user: 0.5, system: 0.3, generator: 1, brokers: 1 },
  }
}

const options = { rounds: 2, seconds: 1 }
const machine = { cores: 2, model: 'a processor', node: 'v26.0.0', loadAverage: { start: 0.5, end: 2.5 } }

test('a ratio is taken within each round, and its median held against the target', () => {
  const { ratios } = reportOf(
    [
      measured('millrace', 'single', 'saturation', 1, 100),
      measured('benthos', 'single', 'saturation', 1, 50),
      // A round that was slow for both changes nothing.
      measured('millrace', 'single', 'saturation', 2, 10),
      measured('benthos', 'single', 'saturation', 2, 4),
    ],
    options,
    machine,
  )
  expect(ratios).toEqual([
    expect.objectContaining({
      what: 'single events per CPU-second, against Benthos',
      rounds: [2, 2.5],
      median: 2.25,
      reached: true,
    }),
  ])
})

test('a missed target is told as such', () => {
  const report = reportOf(
    [
      measured('millrace', 'batch', 'saturation', 1, 69_999),
      measured('millrace', 'single', 'half', 1, 1, 30),
      measured('direct', 'single', 'half', 1, 1, 10),
    ],
    options,
    machine,
  )
  expect(report.ratios.map(({ median: value, reached }) => [value, reached])).toEqual([
    [69_999, false],
    [3, false],
  ])
  expect(markdownOf(report).match(/\*\*missed\*\*/g)).toHaveLength(2)
})

test('what has no target is told without a verdict', () => {
  const report = reportOf(
    [measured('millrace', 'single', 'saturation', 1, 100), measured('millrace-avro', 'single', 'saturation', 1, 80)],
    options,
    machine,
  )
  expect(report.ratios).toEqual([
    {
      what: 'single events per CPU-second in Avro, against JSON',
      median: 0.8,
      rounds: [0.8],
      target: null,
      reached: null,
    },
  ])
  expect(markdownOf(report)).toContain('| single events per CPU-second in Avro, against JSON | 0.8 | 0.8 |  |  |')
})

test('the page says who did not bound events/s, and under which load the machine was', () => {
  const busy = measured('bare', 'single', 'saturation', 1, 100)
  const page = markdownOf(
    reportOf(
      [
        measured('millrace', 'single', 'saturation', 1, 100),
        { ...busy, cores: { ...busy.cores, user: 0.8, brokers: 0.6 } },
      ],
      options,
      machine,
    ),
  )
  expect(page).toContain('Load average of the last minute 0.5 before the run, 2.5 at its end')
  expect(page).toContain(
    'Of the 2 cores, the brokers used 0.60 to 1.00; subject, load generator and brokers together\n2.70 to 2.80',
  )
  expect(page).toContain('CPU-second is their own: Millrace gateway, JSON.')
  expect(page).toContain('| 0.50 + 0.30 | 1.00 | 1.00 |')
})

test('the plot shows medians beside what was least and most', () => {
  const report = reportOf(
    [1, 2, 3].map((round) => measured('millrace-avro', 'single', 'saturation', round, 1_000 * round)),
    options,
    machine,
  )
  const plot = plotOf(report)
  expect(plot).toContain('>2\u202f000</text>')
  expect(plot).toContain('Millrace gateway, Avro')
  expect(plot).not.toContain('Benthos')
})

test('the median of an even number is in the middle of two', () => {
  expect(median([4, 1, 3])).toBe(3)
  expect(median([4, 1, 3, 2])).toBe(2.5)
})
