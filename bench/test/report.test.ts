import { expect, test } from 'vitest'
import type { Mode } from '../src/ingest/events.ts'
import type { LoadKind, Measurement } from '../src/ingest/measure.ts'
import type { SubjectName } from '../src/ingest/platform.ts'
import { markdownOf, median, reportOf } from '../src/ingest/report.ts'

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
    cores: { subject: 1, generator: 1, brokers: 1 },
  }
}

const options = { rounds: 2, seconds: 1 }
const machine = { cores: 2 }

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

test('the median of an even number is in the middle of two', () => {
  expect(median([4, 1, 3])).toBe(3)
  expect(median([4, 1, 3, 2])).toBe(2.5)
})
