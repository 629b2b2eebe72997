import type { EventType } from './event-type.ts'
import type { Pipeline } from './pipeline.ts'
import { deadLetterTopic } from './topic-name.ts'

/** A Kafka user of its own that may read some topics, and nothing else. */
export type KafkaReader = {
  readonly kind: 'kafka-reader'
  readonly user: string
  readonly topics: readonly string[]
}

/** Lets a Kafka client outside the platform read events, results, late events and dead letters. */
export function kafkaReader(user: string, options: { readonly reads: readonly (EventType | Pipeline)[] }): KafkaReader {
  return { kind: 'kafka-reader', user, topics: options.reads.flatMap(topicsOf) }
}

function topicsOf(source: EventType | Pipeline): string[] {
  if (source.kind === 'event-type') return [source.topic, deadLetterTopic(source.topic)]
  return source.lateTopic ? [source.result.topic, source.lateTopic] : [source.result.topic]
}
