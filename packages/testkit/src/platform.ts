import { kafkaReader } from '@millrace/core/access'
import { average, count, sum } from '@millrace/core/aggregate'
import { eventType } from '@millrace/core/event-type'
import { drop, handler, ok, publish } from '@millrace/core/handler'
import { pipeline, toTopic } from '@millrace/core/pipeline'
import { tumbling } from '@millrace/core/window'
import { definePlatform } from '@millrace/core/platform'
import { snowflake } from '@millrace/core/sink'

/** The platform that integration tests run: small, with every kind of part. */
const orderPlaced = eventType('order.placed', {
  schema: {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'order.placed',
    type: 'object',
    additionalProperties: false,
    properties: {
      customer: { type: 'string', minLength: 1 },
      amount: { type: 'number' },
      items: { type: 'integer', minimum: 1 },
      at: { type: 'string', format: 'date-time' },
    },
    required: ['customer', 'amount', 'at'],
  },
  key: '/customer',
  time: '/at',
  partitions: 6,
})

const spendPerCustomer = pipeline('spend-per-customer')
  .from(orderPlaced)
  .where((order) => order.amount.gt(0))
  .window(tumbling('10 seconds'))
  // Tests give orders times of any year.
  .watermark({ outOfOrderness: '2 seconds', idleness: '1 second', futureBound: 'none' })
  .late(toTopic())
  .groupBy((order) => ({ customer: order.customer }))
  .aggregate((order) => ({ orders: count(), spent: sum(order.amount), meanItems: average(order.items) }))

const orderFlagged = eventType('order.flagged', {
  schema: {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'order.flagged',
    type: 'object',
    additionalProperties: false,
    properties: { customer: { type: 'string' }, amount: { type: 'number' } },
    required: ['customer', 'amount'],
  },
  key: '/customer',
  partitions: 3,
})

const largeAmount = 1_000_000

const flagLargeOrders = handler('flag-large-orders', {
  from: orderPlaced,
  to: [orderFlagged],
  handle: ({ data: { customer, amount } }) =>
    amount > largeAmount ? ok(publish(orderFlagged, { customer, amount })) : drop('the amount is not large'),
})

export default definePlatform({
  events: [orderPlaced, orderFlagged],
  pipelines: [spendPerCustomer],
  handlers: [flagLargeOrders],
  sinks: [snowflake({ from: spendPerCustomer, database: 'SHOP', schema: 'PUBLIC', table: 'SPEND_PER_CUSTOMER' })],
  access: [kafkaReader('auditor', { reads: [orderPlaced, spendPerCustomer] })],
})
