import type { SchemaCache } from '@millrace/schemas/schema-cache'

/** What is needed of the cache of the registry's schemas. */
export type KnownSchemas = Pick<SchemaCache, 'known' | 'byId'>

/** How long it is waited for the schema of a live event. */
const waitMsMax = 500
/** How long it is not waited again for a schema that did not come in that time. */
const restMs = 5_000
/** Whoever makes up ids fills this; the oldest go first. */
const givenUpMax = 1_000

/**
 * Schemas for where everything has to wait that comes behind. One that the registry does not give in time is asked for, but not waited
 * for, a while: until it is there, it is as if there were none.
 */
export function impatient(cache: KnownSchemas): KnownSchemas {
  const givenUp = new Map<number, number>() // until when, by the id

  function giveUp(id: number): void {
    givenUp.delete(id)
    givenUp.set(id, performance.now() + restMs)
    const [oldest] = givenUp.keys()
    if (givenUp.size > givenUpMax && oldest !== undefined) givenUp.delete(oldest)
  }

  return {
    known: cache.known,
    byId: async (id, subject) => {
      const asked = cache.byId(id, subject)
      asked.catch(() => undefined) // may come when nobody waits any more
      if ((givenUp.get(id) ?? 0) > performance.now()) return undefined
      const late = Promise.withResolvers<undefined>()
      const timer = setTimeout(() => {
        giveUp(id)
        late.resolve(undefined)
      }, waitMsMax)
      return Promise.race([asked, late.promise]).finally(() => clearTimeout(timer))
    },
  }
}
