import type { CatalogEntry } from '@millrace/core/catalog'
import { deadLetterTopic } from '@millrace/core/topic-name'
import type { CatalogFollower } from '@millrace/kafka/catalog'
import type { Codec } from '@millrace/schemas/codec'
import { compileCodec } from '@millrace/schemas/compile-codec'

/** The event types of the platform as the routes need them, always as the catalog has them now. */
export type EventTypes = {
  readonly all: () => CatalogEntry[]
  readonly find: (type: string) => CatalogEntry | undefined
  readonly codec: (entry: CatalogEntry) => Codec
  /** What a reader of a topic must be allowed; `undefined` for a topic that the API does not show. */
  readonly readable: (topic: string) => ReadableTopic | undefined
}

export type ReadableTopic = { readonly action: 'events:read' | 'dlq:read'; readonly types: readonly string[] }

export function createEventTypes(catalog: CatalogFollower): EventTypes {
  const codecs = new WeakMap<CatalogEntry, Codec>()
  const all = () => [...catalog.entries().values()]
  return {
    all,
    find: (type) => catalog.entries().get(type),
    codec: (entry) => {
      const compiled = codecs.get(entry) ?? compileCodec(entry)
      codecs.set(entry, compiled)
      return compiled
    },
    readable: (topic) => {
      const types = (test: (entry: CatalogEntry) => boolean) =>
        all()
          .filter(test)
          .map((entry) => entry.type)
      // Late events of a pipeline are read by whoever may read its results.
      const events = types((entry) => entry.topic === topic || `${entry.topic}.late` === topic)
      if (events.length > 0) return { action: 'events:read', types: events }
      const failed = types((entry) => deadLetterTopic(entry.topic) === topic)
      return failed.length > 0 ? { action: 'dlq:read', types: failed } : undefined
    },
  }
}
