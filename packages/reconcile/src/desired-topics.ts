import type { EventType } from '@millrace/core/event-type'
import { eventTypesOf, type Platform } from '@millrace/core/platform'
import { deadLetterTopic } from '@millrace/core/topic-name'

/** A topic as it should be. */
export type DesiredTopic = {
  readonly name: string
  readonly partitions: number
  readonly config: Readonly<Record<string, string>>
}

const forever = { 'retention.ms': '-1', 'retention.bytes': '-1' }
const compacted = { 'cleanup.policy': 'compact' }
const deadLetterRetentionMs = 30 * 86_400_000

/** The topics that the platform's own parts need before any event type exists. */
export const foundationTopics: readonly DesiredTopic[] = [
  { name: 'millrace-catalog', partitions: 1, config: compacted },
  { name: '_apicurio-journal', partitions: 1, config: { 'cleanup.policy': 'delete', ...forever } },
  { name: '_apicurio-snapshots', partitions: 1, config: { 'cleanup.policy': 'delete', ...forever } },
  { name: '_apicurio-events', partitions: 1, config: { 'cleanup.policy': 'delete' } },
  { name: '_connect-configs', partitions: 1, config: compacted },
  { name: '_connect-offsets', partitions: 6, config: compacted },
  { name: '_connect-status', partitions: 3, config: compacted },
]

/** The topics of a definition: one for each event type and its dead letters, one for each pipeline's late events. */
export function topicsOf(platform: Platform): DesiredTopic[] {
  const late = platform.pipelines.flatMap(({ lateTopic, from }) =>
    lateTopic === undefined
      ? []
      : [{ name: lateTopic, partitions: from.partitions, config: retention(from.retentionMs) }],
  )
  return [...eventTypesOf(platform).flatMap(topicsOfType), ...late]
}

function topicsOfType(type: EventType): DesiredTopic[] {
  return [
    { name: type.topic, partitions: type.partitions, config: retention(type.retentionMs) },
    { name: deadLetterTopic(type.topic), partitions: 1, config: retention(deadLetterRetentionMs) },
  ]
}

function retention(retentionMs: number): Record<string, string> {
  return { 'cleanup.policy': 'delete', 'retention.ms': String(retentionMs) }
}
