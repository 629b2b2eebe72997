/** What is measured: pipelines like those of the flights example, and the topic that they read. */
import { average, count, sum } from '@millrace/core/aggregate'
import { eventType } from '@millrace/core/event-type'
import { type Pipeline, pipeline, toTopic } from '@millrace/core/pipeline'
import { definePlatform } from '@millrace/core/platform'
import { type AlignedWindow, sliding, tumbling } from '@millrace/core/window'

export const flightDeparted = eventType('bench.flight', {
  schema: {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'bench.flight',
    type: 'object',
    additionalProperties: false,
    required: ['flight', 'date', 'origin', 'destination', 'distance', 'delay'],
    properties: {
      flight: { type: 'integer', minimum: 0 },
      date: { type: 'string', format: 'date-time' },
      origin: { type: 'string', minLength: 3, maxLength: 3 },
      destination: { type: 'string', minLength: 3, maxLength: 3 },
      distance: { type: 'number', exclusiveMinimum: 0 },
      delay: { type: 'number' },
    },
  },
  key: '/origin',
  time: '/date',
  partitions: 6,
})

export type WorkName = 'tumbling' | 'sliding'
/** A pipeline as either side runs it. */
export type Work = { readonly name: WorkName; readonly window: AlignedWindow; readonly pipeline: Pipeline }

export const works: readonly Work[] = [
  workOf('tumbling', tumbling('1 hour')),
  workOf('sliding', sliding('3 hours', { every: '1 hour' })),
]

function workOf(name: WorkName, window: AlignedWindow): Work {
  return {
    name,
    window,
    pipeline: pipeline(`bench-${name}`)
      .from(flightDeparted)
      .window(window)
      .watermark({ outOfOrderness: '5 minutes' })
      .late(toTopic())
      .groupBy((flight) => ({ origin: flight.origin }))
      .aggregate((flight) => ({
        flights: count(),
        distance: sum(flight.distance),
        meanDelay: average(flight.delay),
      })),
  }
}

export const processingPlatform = definePlatform({
  events: [flightDeparted],
  pipelines: works.map(({ pipeline: made }) => made),
})
