import type { Cache } from './cache.ts'
import { createCache } from './cache.ts'
import type { RegisteredSchema, Registry } from './registry.ts'

type SchemaById = Awaited<ReturnType<Registry['byId']>>

/** The registry, asked as little as possible, so that it is never on the way of an event. */
export type SchemaCache = {
  /** For ever: an id never means another schema. */
  readonly byId: Cache<number, SchemaById>
  /** For a minute, and for longer while the registry does not answer. */
  readonly latest: Cache<string, RegisteredSchema | undefined>
}

const subjectFreshMs = 60_000
/** What does not exist may be made at any moment. */
const absentFreshMs = 2_000
const retryMs = 1_000
const entriesMax = 10_000

export function createSchemaCache(registry: Pick<Registry, 'byId' | 'latest'>): SchemaCache {
  return {
    byId: createCache({
      load: (id: number) => registry.byId(id),
      freshMs: (schema: SchemaById) => (schema ? Infinity : absentFreshMs),
      retryMs,
      entriesMax,
    }),
    latest: createCache({
      load: (subject: string) => registry.latest(subject),
      freshMs: (schema: RegisteredSchema | undefined) => (schema ? subjectFreshMs : absentFreshMs),
      retryMs,
      entriesMax,
    }),
  }
}
