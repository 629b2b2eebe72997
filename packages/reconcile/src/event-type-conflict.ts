import type { CatalogEntry } from '@millrace/core/catalog'
import type { Violation } from '@millrace/core/cloud-event'
import type { DeclaredType } from '@millrace/core/event-type'
import { deadLetterTopic } from '@millrace/core/topic-name'
import type { Topic } from '@millrace/kafka/admin'

/** What there is already where an event type shall be. */
export type Surroundings = {
  readonly entries: ReadonlyMap<string, CatalogEntry>
  /** The topics that exist, by name: at least the type's own and that of its dead letters. */
  readonly topics: ReadonlyMap<string, Pick<Topic, 'partitions'>>
}

/** Why an event type cannot be as it is declared, though nothing is wrong with it: the member at fault and a sentence. */
export type Conflict = Violation & { readonly pointer: '/format' | '/topic' | '/partitions' }

/** What an event type has to give way to, or `undefined`. */
export function conflictOf(type: DeclaredType, { entries, topics }: Surroundings): Conflict | undefined {
  return (
    changeOfKind(type, entries.get(type.name)) ?? topicOfAnother(type, entries) ?? foreignTopic(type, entries, topics)
  )
}

function changeOfKind(type: DeclaredType, current: CatalogEntry | undefined): Conflict | undefined {
  if (!current) return undefined
  if (current.format !== type.format) {
    const detail = `${type.name} is in ${current.format}, and what is stored stays so: give ${type.format} a type of its own`
    return { pointer: '/format', detail }
  }
  if (current.topic === type.topic) return undefined
  return {
    pointer: '/topic',
    detail: `${type.name} is in the topic "${current.topic}", and what is stored stays there`,
  }
}

/** Also for a type that was written into the catalog, to find out whether another was there first. */
export function topicOfAnother(
  { name, topic }: Pick<DeclaredType, 'name' | 'topic'>,
  entries: Surroundings['entries'],
): Conflict | undefined {
  const owner = [...entries.values()].find((entry) => entry.topic === topic && entry.type !== name)
  return owner && { pointer: '/topic', detail: `the topic "${topic}" is that of ${owner.type}` }
}

function foreignTopic(
  { name, topic }: DeclaredType,
  entries: Surroundings['entries'],
  topics: Surroundings['topics'],
): Conflict | undefined {
  // Whatever made it, it was not this platform: see `topicsOfType`.
  const foreign = topics.has(topic) && !topics.has(deadLetterTopic(topic)) && !entries.has(name)
  return foreign ? { pointer: '/topic', detail: `there is a topic "${topic}" that no event type has made` } : undefined
}

/** Whether a topic may have so many partitions when it has `actual`. `repartition` lets it grow. */
export function partitionsConflict(
  { topic, partitions }: Pick<DeclaredType, 'topic' | 'partitions'>,
  actual: number | undefined,
  repartition: boolean,
): Conflict | undefined {
  if (actual === undefined || actual === partitions) return undefined
  if (partitions < actual) {
    return { pointer: '/partitions', detail: `the topic "${topic}" has ${actual} partitions, and they only grow` }
  }
  if (repartition) return undefined
  const detail = `the topic "${topic}" has ${actual} partitions; more would give keys another partition: say "repartition": true to do it`
  return { pointer: '/partitions', detail }
}
