/** Orders as records of a topic, and pipelines over them. */
import { eventType } from '@millrace/core/event-type'
import { drop, pipeline } from '@millrace/core/pipeline'
import { tumbling } from '@millrace/core/window'
import type { PipelineRecord } from '../src/read-record.ts'

export const orderPlaced = eventType('order.placed', {
  schema: {
    type: 'object',
    properties: {
      customer: { type: 'string' },
      amount: { type: 'number' },
      items: { type: 'integer' },
      coupon: { type: 'string' },
      at: { type: 'string', format: 'date-time' },
    },
    required: ['customer', 'at'],
  },
  key: '/customer',
  time: '/at',
})
export const hourly = (name: string) =>
  pipeline(name).from(orderPlaced).window(tumbling('1 hour')).watermark({ outOfOrderness: '5 minutes' }).late(drop())
const utf8 = new TextEncoder()

/** Later than any of their times. */
export const stored = { offset: 0, timestampMs: Date.parse('2031-01-01T00:00:00Z') }

export function record(value: string, partition = 0, headers: Record<string, string> = {}): PipelineRecord {
  return { partition, ...stored, headers: new Map(Object.entries(headers)), value: utf8.encode(value) }
}

export function order(at: string, fields: Record<string, unknown> = {}, partition = 0): PipelineRecord {
  return record(JSON.stringify({ customer: 'ada', at: `2030-01-01T${at}Z`, ...fields }), partition)
}
