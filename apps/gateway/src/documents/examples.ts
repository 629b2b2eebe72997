/** One example of each shape that routes take or answer, for the documents: a test holds each against its shape. */
import type { JsonObject, JsonValue } from '@millrace/core/json'

const identity = { id: 'order-1001', source: '/shop/checkout', type: 'order.placed' }
const place = { topic: 'order.placed', partition: 2, offset: 1041 }
const timestamp = '2026-01-31T12:00:00.120Z'
const cursor = 'AQOBCAeSCO0mbx4'

const event = {
  specversion: '1.0',
  ...identity,
  time: '2026-01-31T12:00:00Z',
  data: { customer: 'ada', amount: 12.5 },
} as const satisfies JsonObject

const item = { event, partition: place.partition, offset: place.offset, timestamp }

const schema = {
  type: 'object',
  required: ['customer', 'amount'],
  properties: { customer: { type: 'string' }, amount: { type: 'number' } },
  additionalProperties: false,
} as const satisfies JsonObject

const eventType = {
  type: identity.type,
  format: 'json',
  topic: place.topic,
  key: '/customer',
  time: null,
  partitions: 6,
  retentionMs: 604_800_000,
  compacted: false,
  compatibility: 'BACKWARD',
  schemaId: 1,
  version: 1,
  schema: { $schema: 'http://json-schema.org/draft-07/schema#', ...schema },
  references: [],
  sensitive: [],
} as const satisfies JsonObject

const violated = {
  type: 'about:blank',
  title: 'Unprocessable Entity',
  status: 422,
  detail: 'the data does not fit the schema of order.placed',
  errors: [{ pointer: '/amount', detail: 'must be number, not string' }],
} as const satisfies JsonObject

const deadLetter = {
  ...identity,
  reason: 'retries-exhausted',
  detail: 'the service answered 500 each time',
  by: 'worker/bill',
  attempts: 5,
  failedAt: timestamp,
  firstFailedAt: '2026-01-31T11:59:30.000Z',
  origin: { ...place, timestamp: '2026-01-31T11:59:29.000Z' },
  partition: 0,
  offset: 17,
  replays: 0,
  sealed: false,
  data: event.data,
} as const satisfies JsonObject

const window = { start: '2026-01-31T12:00:00Z', end: '2026-01-31T13:00:00Z' }
const counted = { revision: '1', counted: '1', late: '0', filtered: '3', offsets: '2:1041-1041' }

const result = {
  event: {
    specversion: '1.0',
    ...{ id: 'ada/2026-01-31T12:00:00Z', source: '/pipelines/spend-per-customer', type: 'spend-per-customer' },
    time: window.end,
    ...counted,
    data: { customer: 'ada', windowStart: window.start, windowEnd: window.end, spent: 12.5 },
  },
  ...{ partition: 0, offset: 7, timestamp: '2026-01-31T13:00:06.480Z' },
} as const satisfies JsonObject

export const examples: Readonly<Record<string, JsonValue>> = {
  CloudEvent: event,
  Receipt: { ...identity, status: 'accepted', ...place, timestamp, schemaId: 1 },
  BatchAnswer: {
    accepted: 1,
    rejected: 1,
    unconfirmed: 0,
    results: [
      { index: 0, id: 'order-1001', status: 'accepted', ...place },
      { index: 1, id: 'order-1002', status: 'rejected', problem: violated },
    ],
  },
  Problem: violated,
  LatestEvents: { topic: place.topic, events: [item], cursor },
  EventPage: { topic: place.topic, events: [item], cursor, next: cursor },
  EventFrame: { ...item, cursor },
  Explanation: {
    ...{ topic: 'spend-per-customer', partition: 0, offset: 7, pipeline: 'spend-per-customer', result, window },
    ...{ revision: 1, counted: 1, late: 0, filtered: 3 },
    sources: [{ topic: place.topic, partition: place.partition, first: place.offset, last: place.offset }],
    ...{ events: [item], found: 1, complete: true },
  },
  DeadLetterReason: deadLetter.reason,
  DeadLetter: deadLetter,
  DeadLetterPage: { topic: place.topic, deadLetters: [deadLetter], next: cursor, atEnd: true },
  Replay: { topic: place.topic, filter: { reason: deadLetter.reason }, dryRun: true, cap: 100 },
  ReplayAnswer: {
    ...{ topic: place.topic, dryRun: true, replayed: 0, wouldReplay: 12, invalid: 1, looped: 0, already: 3 },
    ...{ unopened: 0, failed: 0, unconfirmed: 0, failedAgain: 0, notFound: 0 },
    failures: [
      { partition: 0, offset: 21, id: 'order-1004', outcome: 'invalid', detail: '/amount must be number, not string' },
    ],
  },
  EventType: eventType,
  EventTypes: { eventTypes: [eventType] },
  EventTypeDefinition: { format: 'json', schema, key: '/customer', partitions: 6 },
  Status: { status: 'up' },
  Health: {
    status: 'down',
    checkedAt: timestamp,
    dependencies: [
      { name: 'kafka', state: 'up', latencyMs: 3.2 },
      { name: 'registry', state: 'down', latencyMs: 2000, detail: 'no answer within 2000 ms' },
    ],
  },
}
