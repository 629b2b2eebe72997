/** What the workers of the tests run: a handler that does what an event tells it to. */
import { setTimeout as sleep } from 'node:timers/promises'
import { eventType } from '@millrace/core/event-type'
import { deadLetter, drop, handler, ok, publish, retry } from '@millrace/core/handler'
import { definePlatform } from '@millrace/core/platform'

const partitions = 6

const task = eventType('worker.task', {
  schema: {
    $schema: 'http://json-schema.org/draft-07/schema#',
    type: 'object',
    additionalProperties: false,
    properties: { key: { type: 'string' }, number: { type: 'integer' }, does: { type: 'string' } },
    required: ['key', 'number', 'does'],
  },
  key: '/key',
  partitions,
})

const effect = eventType('worker.effect', {
  schema: {
    $schema: 'http://json-schema.org/draft-07/schema#',
    type: 'object',
    additionalProperties: false,
    properties: { key: { type: 'string' }, number: { type: 'integer', minimum: 0 }, attempt: { type: 'integer' } },
    required: ['key', 'number', 'attempt'],
  },
  key: '/key',
  partitions,
})

const perform = handler('perform', {
  from: task,
  to: [effect],
  concurrency: 32,
  attemptsMax: 3,
  retryWithin: '10 seconds',
  timeout: '500 milliseconds',
  handle: async ({ data: { key, number, does } }, { attempt, signal }) => {
    const done = ok(publish(effect, { key, number, attempt }))
    switch (does) {
      case 'work a little':
        await sleep(Math.random() * 10)
        return done
      case 'fail once':
        return attempt === 1 ? retry('not yet') : done
      case 'fail once, for long':
        return attempt === 1 ? retry('not yet', { after: '3 seconds' }) : done
      case 'fail always':
        return retry('never')
      case 'throw':
        throw new Error('thrown')
      case 'reject':
        return deadLetter('nothing can be done with it', { pointer: '/does' })
      case 'drop':
        return drop('told to')
      case 'take too long':
        await sleep(60_000, undefined, { signal }).catch(() => undefined)
        return done
      case 'publish what does not fit':
        return ok(publish(effect, { key, number: -1, attempt }))
      case 'publish too much':
        return ok(publish(effect, { key: 'x'.repeat(1_100_000), number, attempt }))
      case 'publish much':
        return ok(publish(effect, { key: 'x'.repeat(50_000), number, attempt }))
      case 'publish twice':
        return ok(publish(effect, { key, number, attempt }), publish(effect, { key, number: number + 1, attempt }))
      default:
        return done
    }
  },
})

export default definePlatform({ events: [task, effect], handlers: [perform] })
