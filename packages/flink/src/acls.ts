import { accountsTopic } from '@millrace/core/account'
import type { Pipeline } from '@millrace/core/pipeline'
import { deadLetterTopic } from '@millrace/core/topic-name'
import { consumerGroup, transactionalIdPrefix } from './kafka-names.ts'

/** What a Kafka user has to be allowed; operations are spelled as Kafka spells them. */
export type KafkaPermission = {
  readonly resource: 'topic' | 'group' | 'transactional-id'
  readonly name: string
  readonly pattern: 'literal' | 'prefixed'
  readonly operations: readonly ('Read' | 'Write' | 'Describe')[]
}

/**
 * What the job of a pipeline needs and no more. It reads its output topics for one reason: after a failure it lists the
 * transactions that its predecessor left open there (DescribeProducers), to abort them.
 */
export function permissionsOf(pipeline: Pipeline): KafkaPermission[] {
  const outputs = [pipeline.result.topic, deadLetterTopic(pipeline.from.topic), pipeline.lateTopic, accountsTopic]
  const inputs = new Set([pipeline.from, ...pipeline.tables.map(({ type }) => type)].map(({ topic }) => topic))
  return [
    ...[...inputs].map((name): KafkaPermission => ({
      resource: 'topic',
      name,
      pattern: 'literal',
      operations: ['Describe', 'Read'],
    })),
    ...outputs.flatMap((name): KafkaPermission[] =>
      name === undefined
        ? []
        : [{ resource: 'topic', name, pattern: 'literal', operations: ['Describe', 'Read', 'Write'] }],
    ),
    { resource: 'group', name: consumerGroup(pipeline.name), pattern: 'literal', operations: ['Describe', 'Read'] },
    {
      resource: 'transactional-id',
      name: transactionalIdPrefix(pipeline.name),
      pattern: 'prefixed',
      operations: ['Describe', 'Write'],
    },
  ]
}
