import { count, sum } from '@millrace/core/aggregate'
import { eventType } from '@millrace/core/event-type'
import { pipeline, toTopic } from '@millrace/core/pipeline'
import { tumbling } from '@millrace/core/window'

/** Of three partitions one stays empty, and one is poisoned. */
export const measured = eventType('plant.measured', {
  schema: {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'plant.measured',
    type: 'object',
    additionalProperties: false,
    properties: { meter: { type: 'string' }, value: { type: 'number' }, at: { type: 'string', format: 'date-time' } },
    required: ['meter', 'value', 'at'],
  },
  key: '/meter',
  time: '/at',
  partitions: 3,
})

export const troubled = pipeline('plant-load')
  .from(measured)
  .window(tumbling('10 seconds'))
  .watermark({ outOfOrderness: '2 seconds', idleness: '5 seconds' })
  .late(toTopic())
  .groupBy((reading) => ({ meter: reading.meter }))
  .aggregate((reading) => ({ readings: count(), total: sum(reading.value) }))
