import { accountsTopic } from '@millrace/core/account'
import { catalogTopic } from '@millrace/core/catalog'
import type { DeclaredType } from '@millrace/core/event-type'
import { ledgerTopic } from '@millrace/core/ledger'
import type { Platform } from '@millrace/core/platform'
import { replaysTopic } from '@millrace/core/replay'
import { deadLetterTopic } from '@millrace/core/topic-name'

/** A topic as it should be. */
export type DesiredTopic = {
  readonly name: string
  readonly partitions: number
  readonly config: Readonly<Record<string, string>>
}

const deadLetterRetentionMs = 30 * 86_400_000
const forever = { 'retention.ms': '-1', 'retention.bytes': '-1' }
/** Longer than any dead letter is kept. */
const replaysRetentionMs = deadLetterRetentionMs + 86_400_000
/** They are read within seconds; so long they may wait for whoever adds them up. */
const accountsRetentionMs = 7 * 86_400_000
/** The same minutes are written over and over, and whoever begins with the ledger reads all of it, so it is compacted soon. */
const ledgerConfig = {
  'segment.bytes': String(16 * 1_048_576),
  'min.cleanable.dirty.ratio': '0.2',
  'delete.retention.ms': String(600_000),
}
const compacted = { 'cleanup.policy': 'compact' }
/**
 * Whoever writes them, dead letters have the time of their failure, by which they are kept and sought: Connect would give them the original's.
 * And there is room for what a dead letter has beside a record that was as large as Kafka takes it.
 */
const deadLetterConfig = { 'message.timestamp.type': 'LogAppendTime', 'max.message.bytes': String(2 * 1_048_576) }

/** The topics that the platform's own parts need before any event type exists. */
export const foundationTopics: readonly DesiredTopic[] = [
  { name: catalogTopic, partitions: 1, config: compacted },
  {
    name: replaysTopic,
    partitions: 1,
    config: { 'cleanup.policy': 'compact,delete', 'retention.ms': String(replaysRetentionMs) },
  },
  { name: accountsTopic, partitions: 6, config: retention(accountsRetentionMs) },
  { name: ledgerTopic, partitions: 1, config: { ...compacted, ...ledgerConfig } },
  { name: '_apicurio-journal', partitions: 1, config: { 'cleanup.policy': 'delete', ...forever } },
  { name: '_apicurio-snapshots', partitions: 1, config: { 'cleanup.policy': 'delete', ...forever } },
  { name: '_apicurio-events', partitions: 1, config: { 'cleanup.policy': 'delete' } },
  { name: '_connect-configs', partitions: 1, config: compacted },
  { name: '_connect-offsets', partitions: 6, config: compacted },
  { name: '_connect-status', partitions: 3, config: compacted },
]

/** The topics of pipelines' late events. */
export function lateTopicsOf({ pipelines }: Platform): DesiredTopic[] {
  return pipelines.flatMap(({ lateTopic, from }) =>
    lateTopic === undefined
      ? []
      : [{ name: lateTopic, partitions: from.partitions, config: retention(from.retentionMs) }],
  )
}

/**
 * The topics of an event type. That of its dead letters comes first: a topic that has one beside it was made here, perhaps by a
 * request that got no further, and may be used; any other belongs to somebody else.
 */
export function topicsOfType(type: DeclaredType): DesiredTopic[] {
  return [
    {
      name: deadLetterTopic(type.topic),
      partitions: 1,
      config: { ...retention(deadLetterRetentionMs), ...deadLetterConfig },
    },
    {
      name: type.topic,
      partitions: type.partitions,
      config: type.compacted ? compacted : retention(type.retentionMs),
    },
  ]
}

function retention(retentionMs: number): Record<string, string> {
  return { 'cleanup.policy': 'delete', 'retention.ms': String(retentionMs) }
}
