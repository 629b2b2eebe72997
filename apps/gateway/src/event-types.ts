import type { CatalogEntry } from '@millrace/core/catalog'
import { deadLetterTopic } from '@millrace/core/topic-name'
import { MillraceError } from '@millrace/core/errors'
import type { CatalogFollower } from '@millrace/kafka/catalog'
import type { Codec } from '@millrace/schemas/codec'
import { compileCodec } from '@millrace/schemas/compile-codec'
import { createLru } from './lru.ts'

/** The event types of the platform as the routes need them, always as the catalog has them now. */
export type EventTypes = {
  readonly all: () => CatalogEntry[]
  readonly find: (type: string) => CatalogEntry | undefined
  /** @throws MillraceError 'registry.refused' when the schema cannot be used */
  readonly codec: (entry: CatalogEntry) => Codec
  /** The types whose events are in a topic. */
  readonly ofTopic: (topic: string) => CatalogEntry[]
  /** Whether the data of a topic's records is not to be shown: of dead letters of a type with sensitive pointers, sealed or not. */
  readonly isHidden: (topic: string) => boolean
  /** What a reader of a topic must be allowed; `undefined` for a topic that the API does not show. */
  readonly readable: (topic: string) => ReadableTopic | undefined
}

export type ReadableTopic = { readonly action: 'events:read' | 'dlq:read'; readonly types: readonly string[] }

/** How long a schema that cannot be used is not tried again: compiling it may cost as much as a thousand events. */
const unusableMs = 10_000
const unusableMax = { entriesMax: 1_000, keysLengthMax: 65_536 }

/** `onUnusable` is told of a schema each time that it was tried in vain. */
export function createEventTypes(
  catalog: Pick<CatalogFollower, 'entries'>,
  onUnusable: (error: MillraceError) => void = () => undefined,
): EventTypes {
  const compile = createCompiler(onUnusable)
  const codecs = new WeakMap<CatalogEntry, Codec>()
  const all = () => [...catalog.entries().values()]
  return {
    all,
    find: (type) => catalog.entries().get(type),
    codec: (entry) => {
      const compiled = codecs.get(entry) ?? compile(entry)
      codecs.set(entry, compiled)
      return compiled
    },
    ofTopic: (topic) => all().filter((entry) => entry.topic === topic),
    isHidden: (topic) =>
      topic.endsWith(deadLetterTopic('')) &&
      all().some((entry) => entry.sensitive.length > 0 && deadLetterTopic(entry.topic) === topic),
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

/** Remembers what does not compile, by the id of the schema. */
function createCompiler(onUnusable: (error: MillraceError) => void): (entry: CatalogEntry) => Codec {
  const unusable = createLru<{ readonly error: MillraceError; readonly untilMs: number }>(unusableMax)
  return (entry) => {
    const id = String(entry.schemaId)
    const known = unusable.get(id)
    if (known && performance.now() < known.untilMs) throw known.error
    try {
      return compileCodec(entry)
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause)
      const told = `the schema ${id} of ${entry.type} cannot be used: ${reason}`
      const error = new MillraceError('registry.refused', told, { cause })
      unusable.set(id, { error, untilMs: performance.now() + unusableMs })
      onUnusable(error)
      throw error
    }
  }
}
