import { count } from '@millrace/core/aggregate'
import { eventType } from '@millrace/core/event-type'
import { drop, pipeline } from '@millrace/core/pipeline'
import { sliding, tumbling } from '@millrace/core/window'
import { describe, expect, test } from 'vitest'
import { compilePipeline } from '../src/compile.ts'
import type { FlinkEnvironment } from '../src/environment.ts'
import { environment, orderPlaced, pipelines, spendPerCustomer } from './pipelines.ts'

const fingerprint = (changes: Partial<FlinkEnvironment> = {}, of = spendPerCustomer) =>
  compilePipeline(of, { ...environment, ...changes }).fingerprint

test('a fingerprint is that of the statements, and the job carries it', () => {
  const { fingerprint: own, statements } = compilePipeline(spendPerCustomer, environment)
  expect(own).toMatch(/^[0-9a-f]{64}$/)
  expect(statements[0]).toBe(`SET 'pipeline.global-job-parameters' = 'millrace.fingerprint:${own}'`)
  expect(statements.at(-1)).toMatch(/^EXECUTE STATEMENT SET BEGIN\n/)
  expect(fingerprint()).toBe(own)
})

test('pipelines differ in their fingerprints', () => {
  const all = pipelines.map((pipeline) => compilePipeline(pipeline, environment).fingerprint)
  expect(new Set(all).size).toBe(pipelines.length)
})

test('more instances of its parts change it', () => {
  expect(fingerprint({}, { ...spendPerCustomer, parallelism: 2 })).not.toBe(fingerprint())
})

test('another interval of commits, which are its checkpoints, changes it', () => {
  const rarely = { ...spendPerCustomer, commitEveryMs: 2_000 }
  expect(fingerprint({}, rarely)).not.toBe(fingerprint())
  const { statements } = compilePipeline(rarely, environment)
  expect(statements).toContain("SET 'execution.checkpointing.interval' = '2000 ms'")
})

test('what the job does not depend on does not change it', () => {
  const from = { ...orderPlaced, partitions: 12, retentionMs: 1, compatibility: 'FULL' } as const
  const result = { ...spendPerCustomer.result, partitions: 12, retentionMs: 1 }
  expect(fingerprint({}, { ...spendPerCustomer, from, result })).toBe(fingerprint())
  const wider = eventType('order.placed', {
    schema: { ...orderPlaced.schema, description: 'an order' },
    key: '/customer',
    time: '/at',
  })
  expect(fingerprint({}, { ...spendPerCustomer, from: { ...wider, fields: orderPlaced.fields } })).toBe(fingerprint())
})

describe('what a job has counted', () => {
  const spend = (change: Partial<typeof spendPerCustomer>) =>
    compilePipeline({ ...spendPerCustomer, ...change }, environment).counting
  const own = spend({})

  test('is of use to one that is told otherwise when an event is late, or publishes elsewhere', () => {
    expect(spend({ watermark: { ...spendPerCustomer.watermark, outOfOrdernessMs: 1 } })).toBe(own)
    expect(spend({ result: { ...spendPerCustomer.result, topic: 'elsewhere' }, late: drop() })).toBe(own)
  })

  test('is of none to one with another window, aggregate, group or topic', () => {
    const { aggregates } = spendPerCustomer
    const others = [
      spend({ window: tumbling('2 hours') }),
      spend({ window: sliding('1 hour', { every: '30 minutes' }) }),
      spend({ aggregates: { ...aggregates, spent: count() } }),
      spend({ aggregates: Object.fromEntries(Object.entries(aggregates).toReversed()) }),
      spend({ groupBy: {} }),
      spend({ from: { ...orderPlaced, topic: 'elsewhere' } }),
    ]
    expect(new Set([own, ...others]).size).toBe(7)
  })
})

test.each<[string, Partial<FlinkEnvironment>]>([
  ['brokers', { bootstrapServers: 'localhost:9999' }],
  ['certificates', { truststoreFile: '/elsewhere/ca.pem' }],
  ['folder of checkpoints', { checkpointDirectory: '/elsewhere' }],
  ['schema of its results', { schemaUrl: () => 'https://localhost/schemas/ids/8' }],
])('another %s changes it', (_, change) => {
  expect(fingerprint(change)).not.toBe(fingerprint())
})

test.each(['1 hour', '61 minutes'] as const)('a window of %s has the fingerprint of its length', (size) => {
  const sized = pipeline('sized')
    .from(orderPlaced)
    .window(tumbling(size))
    .watermark({ outOfOrderness: '1 second' })
    .groupBy((event) => ({ customer: event.customer }))
    .aggregate(() => ({ orders: count() }))
  const sameLength = { ...sized, window: tumbling('60 minutes') }
  const equal = compilePipeline(sized, environment).fingerprint === compilePipeline(sameLength, environment).fingerprint
  expect(equal).toBe(size === '1 hour')
})
