/** What the workers of a drill run: a handler that publishes one event, its effect, for each event of the drill. */
import { setTimeout as delay } from 'node:timers/promises'
import { eventType } from '@millrace/core/event-type'
import { handler, ok, publish } from '@millrace/core/handler'
import { definePlatform } from '@millrace/core/platform'
import { drillTypeOptions, effectTypeOf } from './drill-type.ts'
import { poisonOf } from './poison.ts'

/** How the events of a drill are handled. */
export type Work = {
  /** How many a worker has under way at once, where not as many as by default. */
  readonly concurrency?: number
  /** How long one takes, in ms; without it up to some ms, as chance has it. */
  readonly tookMs?: number
  /** A handler has this long for an event, in ms, where not as long as by default. */
  readonly timeoutMs?: number
}

const workMsMax = 5
const attemptsMax = 4

/**
 * The platform that the workers of a drill are given, by a module of the drill's own.
 * @public
 */
export default function handledPlatform(name: string, { concurrency, tookMs, timeoutMs }: Work) {
  const sent = eventType(name, drillTypeOptions)
  const effect = eventType(effectTypeOf(name), drillTypeOptions)
  const handle = handler(handlerOf(name), {
    from: sent,
    to: [effect],
    ...(concurrency !== undefined && { concurrency }),
    ...(timeoutMs !== undefined && { timeout: `${timeoutMs} milliseconds` as const, attemptsMax }),
    handle: async ({ data: { key, round } }, { signal }) => {
      const poison = poisonOf(key, round)
      if (poison === 'throws') throw new Error('the handler throws whenever it gets this event')
      if (poison === 'too-long') await delay(forEverMs, undefined, { signal })
      await delay(tookMs ?? Math.random() * workMsMax)
      // Who made an effect is beside its data, which is the same whoever it was.
      return ok(publish(effect, { key, round }, { subject: String(process.pid) }))
    },
  })
  return definePlatform({ events: [sent, effect], handlers: [handle] })
}

const forEverMs = 3_600_000

/** The handler of a drill's event type. */
export function handlerOf(name: string): string {
  return `handle-${name}`
}
