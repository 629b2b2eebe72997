import { average, count, countDistinct, first, last, max, min, quantile, sum } from '@millrace/core/aggregate'
import { eventType } from '@millrace/core/event-type'
import { correct, drop, pipeline, toTopic } from '@millrace/core/pipeline'
import { session, sliding, tumbling } from '@millrace/core/window'
import type { FlinkEnvironment } from '../src/environment.ts'

/** The pipelines whose SQL is kept in `golden/`: between them they take every way through the compiler. */

const order = {
  type: 'object',
  properties: {
    customer: { type: 'string' },
    amount: { type: 'number' },
    items: { type: 'integer' },
    gift: { type: 'boolean' },
    at: { type: 'string', format: 'date-time' },
    coupon: { type: 'string' },
    shippedAt: { type: 'string', format: 'date-time' },
    address: { type: 'object' },
  },
  required: ['customer', 'amount', 'items', 'gift', 'at'],
} as const

export const orderPlaced = eventType('order.placed', { schema: order, key: '/customer', time: '/at' })
const pageViewed = eventType('page.viewed', {
  schema: { type: 'object', properties: { page: { type: 'string' }, seconds: { type: 'number' } }, required: ['page'] },
})

const customerChanged = eventType('customer.changed', {
  schema: {
    type: 'object',
    properties: { id: { type: 'string' }, country: { type: 'string' }, discount: { type: 'number' } },
    required: ['id', 'country'],
  },
  key: '/id',
  compacted: true,
})
const couponIssued = eventType('coupon.issued', {
  schema: {
    type: 'object',
    properties: { number: { type: 'integer' }, campaign: { type: 'string' } },
    required: ['number'],
  },
  key: '/number',
  compacted: true,
})

const hourly = (name: string) =>
  pipeline(name).from(orderPlaced).window(tumbling('1 hour')).watermark({ outOfOrderness: '5 minutes' })

export const spendPerCustomer = hourly('spend-per-customer')
  .late(toTopic())
  .groupBy((event) => ({ customer: event.customer }))
  .aggregate((event) => ({ orders: count(), spent: sum(event.amount) }))

const lateDropped = hourly('late-dropped')
  .late(drop())
  .groupBy((event) => ({ customer: event.customer }))
  .aggregate((event) => ({ orders: count(), spent: sum(event.amount) }))

const filtered = pipeline('filtered')
  .from(orderPlaced)
  .where((event) => event.amount.gt(0).and(event.amount.lte(99.5)).or(event.items.gte(3)))
  .where((event) => event.gift.eq(true).not().or(event.coupon.isNull()))
  .where((event) => event.customer.ne("d'Arc `ü` -- 東京").and(event.at.gte('1969-07-20T20:17:40.5Z')))
  .where((event) => event.coupon.lt(event.customer).not().or(event.shippedAt.gt(event.at)))
  .window(tumbling('15 minutes'))
  .watermark({ outOfOrderness: '2 seconds' })
  .late(toTopic())
  .groupBy((event) => ({ customer: event.customer }))
  .aggregate(() => ({ orders: count() }))

const paidOnly = pipeline('paid-only')
  .from(orderPlaced)
  .where((event) => event.amount.gt(0))
  .window(tumbling('1 hour'))
  .watermark({ outOfOrderness: '5 minutes' })
  .late(toTopic())
  .groupBy((event) => ({ customer: event.customer }))
  .aggregate(() => ({ orders: count() }))

const idle = pipeline('idle')
  .from(orderPlaced)
  .window(tumbling('1 day'))
  .watermark({ outOfOrderness: '100 milliseconds', idleness: '30 seconds', futureBound: 'none' })
  .groupBy((event) => ({ customer: event.customer }))
  .aggregate(() => ({ orders: count() }))

const everyAggregate = hourly('every-aggregate')
  .groupBy((event) => ({ customer: event.customer, gift: event.gift }))
  .aggregate((event) => ({
    orders: count(),
    spent: sum(event.amount),
    items: sum(event.items),
    meanAmount: average(event.amount),
    meanItems: average(event.items),
    least: min(event.amount),
    most: max(event.amount),
    fewest: min(event.items),
    window_start: max(event.items),
  }))

const slidingComputed = pipeline('sliding-computed')
  .from(orderPlaced)
  .compute((event) => ({ price: event.amount.dividedBy(event.items), twice: event.items.times(2).minus(1) }))
  .where((event) => event.price.gt(0))
  .window(sliding('1 hour', { every: '15 minutes' }))
  .watermark({ outOfOrderness: '5 minutes', futureBound: '10 minutes' })
  .late(toTopic())
  .groupBy((event) => ({ customer: event.customer }))
  .aggregate((event) => ({
    orders: count(),
    dearest: max(event.price),
    twice: sum(event.twice),
    coupons: countDistinct(event.coupon),
    median: quantile(event.price, 0.5),
    firstItems: first(event.items),
    lastCoupon: last(event.coupon),
  }))

const corrected = hourly('corrected')
  .late(correct({ within: '2 hours', beyond: toTopic() }))
  .groupBy((event) => ({ customer: event.customer }))
  .aggregate((event) => ({ orders: count(), spent: sum(event.amount) }))

const correctedPaid = pipeline('corrected-paid')
  .from(orderPlaced)
  .where((event) => event.amount.gt(0))
  .window(tumbling('1 hour'))
  .watermark({ outOfOrderness: '5 minutes' })
  .late(correct({ within: '2 hours' }))
  .groupBy(() => ({}))
  .aggregate(() => ({ orders: count() }))

const sessions = pipeline('sessions')
  .from(orderPlaced)
  .where((event) => event.amount.gt(0))
  .window(session('30 minutes'))
  .watermark({ outOfOrderness: '5 minutes' })
  .late(toTopic())
  .groupBy((event) => ({ customer: event.customer, gift: event.gift }))
  .aggregate((event) => ({ orders: count(), coupons: countDistinct(event.coupon), last: last(event.items) }))

const joined = pipeline('joined')
  .from(orderPlaced)
  .joinLatest(customerChanged, {
    by: (event) => event.customer,
    take: (customer) => ({ country: customer.country, discount: customer.discount }),
  })
  .joinLatest(couponIssued, { by: (event) => event.items, take: (coupon) => ({ campaign: coupon.campaign }) })
  .compute((event) => ({ paid: event.amount.times(event.discount) }))
  .where((event) => event.country.ne('XX'))
  .window(tumbling('1 hour'))
  .watermark({ outOfOrderness: '5 minutes' })
  .late(toTopic())
  .groupBy((event) => ({ country: event.country }))
  .aggregate((event) => ({ orders: count(), paid: sum(event.paid), campaigns: countDistinct(event.campaign) }))

const spread = pipeline('spread', { parallelism: 4 })
  .from(orderPlaced)
  .window(tumbling('1 hour'))
  .watermark({ outOfOrderness: '5 minutes' })
  .late(toTopic())
  .groupBy((event) => ({ customer: event.customer }))
  .aggregate(() => ({ orders: count() }))

const keyInteger = hourly('key-integer')
  .groupBy((event) => ({ items: event.items }))
  .aggregate(() => ({ orders: count() }))

const keyNumber = hourly('key-number')
  .groupBy((event) => ({ amount: event.amount }))
  .aggregate(() => ({ orders: count() }))

const keyBoolean = hourly('key-boolean')
  .groupBy((event) => ({ gift: event.gift }))
  .aggregate(() => ({ orders: count() }))

const keyTimestamp = hourly('key-timestamp')
  .groupBy((event) => ({ shippedAt: event.shippedAt }))
  .aggregate(() => ({ orders: count() }))

const keyNullable = hourly('key-nullable')
  .groupBy((event) => ({ coupon: event.coupon }))
  .aggregate(() => ({ orders: count() }))

const wholeTopic = hourly('whole-topic')
  .groupBy(() => ({}))
  .aggregate(() => ({ orders: count() }))

const timeFromHeader = pipeline('time-from-header')
  .from(pageViewed)
  .window(tumbling('1 minute'))
  .watermark({ outOfOrderness: '1 second' })
  .late(toTopic())
  .groupBy((event) => ({ page: event.page }))
  .aggregate((event) => ({ views: count(), seconds: average(event.seconds) }))

export const pipelines = [
  spendPerCustomer,
  lateDropped,
  filtered,
  paidOnly,
  idle,
  everyAggregate,
  slidingComputed,
  corrected,
  correctedPaid,
  sessions,
  joined,
  spread,
  keyInteger,
  keyNumber,
  keyBoolean,
  keyTimestamp,
  keyNullable,
  wholeTopic,
  timeFromHeader,
] as const

export const environment: FlinkEnvironment = {
  bootstrapServers: 'localhost:9092,localhost:9192',
  truststoreFile: '/millrace/certificates/ca.pem',
  checkpointDirectory: '/millrace/checkpoints',
  schemaUrl: () => 'https://localhost:8443/apis/ccompat/v7/schemas/ids/7',
}
