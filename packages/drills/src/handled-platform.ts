/** What the workers of a drill run: a handler that publishes one event, its effect, for each event of the drill. */
import { setTimeout as delay } from 'node:timers/promises'
import { eventType } from '@millrace/core/event-type'
import { handler, ok, publish } from '@millrace/core/handler'
import { definePlatform } from '@millrace/core/platform'
import { drillTypeOptions, effectTypeOf } from './drill-type.ts'

const workMsMax = 5

/**
 * The platform that the workers of a drill are given, by a module of the drill's own.
 * @public
 */
export default function handledPlatform(name: string) {
  const sent = eventType(name, drillTypeOptions)
  const effect = eventType(effectTypeOf(name), drillTypeOptions)
  const handle = handler(handlerOf(name), {
    from: sent,
    to: [effect],
    handle: async ({ data: { key, round } }) => {
      await delay(Math.random() * workMsMax)
      return ok(publish(effect, { key, round }))
    },
  })
  return definePlatform({ events: [sent, effect], handlers: [handle] })
}

/** The handler of a drill's event type. */
export function handlerOf(name: string): string {
  return `handle-${name}`
}
