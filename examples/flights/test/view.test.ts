import type { ServerStatus } from '@millrace/stack/server'
import { describe, expect, test } from 'vitest'
import { lineOf, type Snapshot, viewOf } from '../src/view.ts'
import { latencies, numbers, percentilesOf } from './run-numbers.ts'

const server = (name: string, changed: Partial<ServerStatus> = {}): ServerStatus => ({
  ...{ name, state: 'running', address: '127.0.0.1:19000', pid: 7, restarts: 0 },
  ...changed,
})

const snapshot: Snapshot = {
  elapsedMs: 83_999,
  replay: numbers,
  latencies,
  watermarkMs: Date.UTC(2001, 2, 4, 5, 6, 7),
  lag: { pipelines: 1_500, sink: 20 },
  warehouseRows: 51_234,
  services: ['kafka-1', 'kafka-2', 'kafka-3', 'registry', 'gateway'].map((name) => server(name)),
  memoryBytes: 3_210_000_000,
  exhausted: false,
}

/** What the view says of each thing, by its label. */
function rowsOf(changed: Partial<Snapshot>): ReadonlyMap<string, string> {
  const lines = viewOf({ ...snapshot, ...changed })
  return new Map(lines.map((line) => [line.slice(2, 18).trimEnd(), line.slice(19).trimEnd()]))
}

describe('the view', () => {
  test('shows a run', () => {
    expect(viewOf(snapshot).map((line) => line.trimEnd())).toEqual([
      '',
      '  replaying        flights of 2001, at 2001-03-04 05:06, for 00:01:23',
      '  events/s         1 900 now   2 000 on average',
      '  acknowledged     120 000 in batches of 48',
      '  acknowledgement  p50    12 ms   p95    34 ms   p99    56 ms',
      '  live subscriber  p50     1 ms   p95     2 ms   p99 1 234 ms',
      '  window result    p50   700 ms   p95   900 ms   p99 1 000 ms',
      '  consumer lag     slowest pipeline 1 500   sink 20',
      '  windows closed   310 with 51 300 results',
      '  all pipelines    5 with 251 300 results',
      '  late             41   dead letters 3',
      '  warehouse rows   51 234',
      '  memory           3 210 MB in all processes',
      '  services         ● kafka-1           ● kafka-2           ● kafka-3           ● registry',
      '                   ● gateway',
    ])
  })

  test('says of what no source has answered that it is unknown', () => {
    const none = percentilesOf()
    const rows = rowsOf({
      ...{ watermarkMs: undefined, lag: undefined, warehouseRows: undefined, memoryBytes: 0 },
      replay: { ...numbers, ack: none },
      latencies: { ...latencies, live: none, windowResult: none },
    })
    expect(rows.get('replaying')).toBe('flights of 2001, for 00:01:23')
    for (const label of ['consumer lag', 'warehouse rows', 'memory']) expect(rows.get(label)).toBe('unknown')
    for (const label of ['acknowledgement', 'live subscriber', 'window result']) {
      expect(rows.get(label)).toBe('not seen yet')
    }
  })

  test('says nought where nought is known', () => {
    const rows = rowsOf({ lag: { pipelines: 0, sink: 0 }, warehouseRows: 0 })
    expect(rows.get('consumer lag')).toBe('slowest pipeline 0   sink 0')
    expect(rows.get('warehouse rows')).toBe('0')
  })

  test('tells what was sent again and what was missed, once there is any', () => {
    const rows = rowsOf({
      replay: { ...numbers, retries: 1_100, duplicates: 0 },
      latencies: { ...latencies, gapEvents: 12 },
    })
    expect(rows.get('acknowledged')).toBe('120 000 in batches of 48   sent again 1 100   duplicates 0')
    expect(rows.get('live subscriber')).toMatch(/ {3}missed 12$/)
    expect(rowsOf({ replay: { ...numbers, duplicates: 5 } }).get('acknowledged')).toMatch(
      /sent again 0 {3}duplicates 5$/,
    )
  })

  test('marks the state of each service, and how often it was started again', () => {
    const services = [
      server('kafka-1', { state: 'restarting', restarts: 1 }),
      server('kafka-2', { restarts: 2 }),
      server('flink', { state: 'failed' }),
      server('connect', { state: 'waiting' }),
    ]
    expect(rowsOf({ services }).get('services')).toMatch(/^◐ kafka-1 \(1×\) +● kafka-2 \(2×\) +✗ flink +○ connect$/)
  })

  test('has no services before there are any', () => {
    expect(rowsOf({ services: [] }).has('services')).toBe(false)
  })

  test('says how to start over when all flights are replayed', () => {
    expect(rowsOf({ exhausted: true }).get('replaying')).toBe(
      'all flights are replayed ("npx millrace down --wipe" starts over), for 00:01:23',
    )
  })

  test.each([
    [0, '00:00:00'],
    [59_999, '00:00:59'],
    [3_600_000, '01:00:00'],
    [86_400_000, '24:00:00'],
    [100 * 3_600_000 + 61_000, '100:01:01'],
  ])('counts hours for as long as the replay runs: after %i ms %s', (elapsedMs, shown) => {
    expect(rowsOf({ elapsedMs }).get('replaying')).toMatch(new RegExp(`, for ${shown}$`))
  })
})

describe('the line', () => {
  test('shows a run', () => {
    expect(lineOf(snapshot)).toBe(
      '1 900 events/s, 120 000 acknowledged, ack p95 34 ms, live p95 2 ms, window p95 900 ms, lag 1 500 + 20, late 41, rows 51 234',
    )
  })

  test('says of what no source has answered that it is unknown', () => {
    const none = percentilesOf()
    const line = lineOf({
      ...snapshot,
      ...{ lag: undefined, warehouseRows: undefined },
      replay: { ...numbers, ack: none },
      latencies: { ...latencies, live: none, windowResult: none },
    })
    expect(line).toBe(
      '1 900 events/s, 120 000 acknowledged, ack p95 –, live p95 –, window p95 –, lag unknown, late 41, rows unknown',
    )
  })

  test('ends with what was sent again and the services that do not run', () => {
    const services = [
      server('kafka-1'),
      server('kafka-2', { state: 'restarting' }),
      server('flink', { state: 'failed' }),
    ]
    const line = lineOf({ ...snapshot, services, replay: { ...numbers, retries: 30 } })
    expect(line).toMatch(/, rows 51 234, sent again 30, kafka-2 restarting, flink failed$/)
  })
})
