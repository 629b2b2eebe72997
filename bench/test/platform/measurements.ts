import type { Percentiles } from '@millrace/example-flights/histogram'
import type { Measurement } from '../../src/platform/measure.ts'

const slice = { events: 5_000, failures: 0, unsent: 0, seconds: 5, latencyMs: { p50: 3, p95: 5, p99: 8, max: 9 } }

/** A run in which every limit is kept, but for what is changed. */
export function measured(asked: number, changed: Partial<Measurement> = {}): Measurement {
  return {
    ...{ phase: 'find', seconds: 45, rate: { asked, achieved: asked }, acknowledged: asked * 45 },
    ...{ batchEventsMean: 115, retries: 0, gapEvents: 0, restarts: {} },
    latencies: { api: percentiles(40), live: percentiles(200), result: percentiles(600) },
    lag: { atMost: asked, atEnd: { pipelines: asked / 2, sink: 30 } },
    verdict: { ok: true, settled: true, acknowledged: asked * 45, lost: 0, failed: [] },
    load: {
      ...{ cores: 2, coresBusy: 1.5, memoryBytesMax: 3e9 },
      coresByProcess: { flink: 0.6, gateway: 0.4, 'npm start': 0.25, 'kafka-1': 0.1, registry: 0.001 },
    },
    control: { before: slice, after: slice },
    ...changed,
  }
}

export function percentiles(p95Ms: number | undefined): Percentiles {
  return { count: 100, p50Ms: p95Ms, p95Ms, p99Ms: p95Ms, maxMs: p95Ms }
}

/** One that is acknowledged at half of the rate. */
export function tooMuch(asked: number): Measurement {
  return measured(asked, { rate: { asked, achieved: asked / 2 } })
}
