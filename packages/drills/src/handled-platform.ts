/** What the workers of a drill run: a handler that publishes one event, its effect, for each event of the drill. */
import { setTimeout as delay } from 'node:timers/promises'
import { eventType } from '@millrace/core/event-type'
import { handler, ok, publish } from '@millrace/core/handler'
import { definePlatform } from '@millrace/core/platform'
import { drillTypeOptions, effectTypeOf } from './drill-type.ts'

/** How the events of a drill are handled. */
export type Work = {
  /** How many a worker has under way at once, where not as many as by default. */
  readonly concurrency?: number
  /** How long one takes, in ms; without it up to some ms, as chance has it. */
  readonly tookMs?: number
}

const workMsMax = 5

/**
 * The platform that the workers of a drill are given, by a module of the drill's own.
 * @public
 */
export default function handledPlatform(name: string, { concurrency, tookMs }: Work) {
  const sent = eventType(name, drillTypeOptions)
  const effect = eventType(effectTypeOf(name), drillTypeOptions)
  const handle = handler(handlerOf(name), {
    from: sent,
    to: [effect],
    ...(concurrency !== undefined && { concurrency }),
    handle: async ({ data: { key, round } }) => {
      await delay(tookMs ?? Math.random() * workMsMax)
      // Who made an effect is beside its data, which is the same whoever it was.
      return ok(publish(effect, { key, round }, { subject: String(process.pid) }))
    },
  })
  return definePlatform({ events: [sent, effect], handlers: [handle] })
}

/** The handler of a drill's event type. */
export function handlerOf(name: string): string {
  return `handle-${name}`
}
