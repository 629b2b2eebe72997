import { average, count, sum } from '@millrace/core/aggregate'
import { eventType } from '@millrace/core/event-type'
import { drop, pipeline, type Pipeline } from '@millrace/core/pipeline'
import { definePlatform, type Platform } from '@millrace/core/platform'
import { sliding, tumbling } from '@millrace/core/window'
import platform from '@millrace/testkit/platform'

/** One partition, so that the order of its events is known. */
export const sold = eventType('shop.sold', {
  schema: {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'shop.sold',
    type: 'object',
    additionalProperties: false,
    properties: { shop: { type: 'string' }, amount: { type: 'number' }, at: { type: 'string', format: 'date-time' } },
    required: ['shop', 'amount', 'at'],
  },
  key: '/shop',
  time: '/at',
  partitions: 1,
})

const windowed = (window: ReturnType<typeof tumbling>) =>
  pipeline('turnover')
    .from(sold)
    .window(window)
    .watermark({ outOfOrderness: '1 second', futureBound: 'none' })
    .late(drop())
    .groupBy((sale) => ({ shop: sale.shop }))

const ofTenSeconds = windowed(tumbling('10 seconds'))

export const turnover = ofTenSeconds.aggregate((sale) => ({ sales: count(), amount: sum(sale.amount) }))

/** The same topology, whose windows hold something else. */
export const averaged = ofTenSeconds.aggregate((sale) => ({ sales: count(), amount: average(sale.amount) }))

/** Another topology. */
export const slid = windowed(sliding('10 seconds', { every: '5 seconds' })).aggregate((sale) => ({
  sales: count(),
  amount: sum(sale.amount),
}))

/** The platform that runs for the tests, and one pipeline more. */
export function withPipeline(one: Pipeline): Platform {
  return definePlatform({
    ...platform,
    events: [...platform.events, one.from],
    pipelines: [...platform.pipelines, one],
  })
}
