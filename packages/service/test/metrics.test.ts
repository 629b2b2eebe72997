import { signals } from '@millrace/core/signals'
import { expect, test } from 'vitest'
import { createMetrics } from '../src/metrics.ts'

test('a metric has the name, the labels, the buckets and the meaning of the catalogue', async () => {
  const metrics = createMetrics()
  metrics.counter(signals.eventsAccepted).inc({ type: 'order.placed' }, 3)
  metrics.gauge(signals.produceQueue).set(7)
  metrics.histogram(signals.produceDuration).observe(0.003)
  const { contentType, body } = await metrics.exposition()
  expect(contentType).toMatch(/^text\/plain; version=0\.0\.4/)
  expect(body).toContain(`# HELP millrace_events_accepted_total ${signals.eventsAccepted.meaning}`)
  expect(body).toContain('# TYPE millrace_events_accepted_total counter')
  expect(body).toMatch(/^millrace_events_accepted_total\{type="order\.placed"\} 3$/m)
  expect(body).toMatch(/^millrace_produce_queue_events 7$/m)
  expect(body).toMatch(/^millrace_produce_duration_seconds_bucket\{le="0\.0025"\} 0$/m)
  expect(body).toMatch(/^millrace_produce_duration_seconds_bucket\{le="0\.005"\} 1$/m)
})

test('a gauge that is watched is asked whenever metrics are read', async () => {
  const metrics = createMetrics()
  let queued = 1
  metrics.watch(signals.produceQueue, () => queued)
  expect((await metrics.exposition()).body).toMatch(/^millrace_produce_queue_events 1$/m)
  queued = 2
  expect((await metrics.exposition()).body).toMatch(/^millrace_produce_queue_events 2$/m)
})

test('two services in one process do not share what they count', async () => {
  const [one, other] = [createMetrics(), createMetrics()]
  one.gauge(signals.produceQueue).set(1)
  other.gauge(signals.produceQueue).set(2)
  expect((await one.exposition()).body).toMatch(/^millrace_produce_queue_events 1$/m)
  expect((await other.exposition()).body).toMatch(/^millrace_produce_queue_events 2$/m)
})

test('the process itself is measured', async () => {
  const { body } = await createMetrics().exposition()
  for (const name of ['process_cpu_seconds_total', 'process_resident_memory_bytes', 'nodejs_eventloop_lag_seconds']) {
    expect(body).toContain(`# TYPE ${name} `)
  }
})
