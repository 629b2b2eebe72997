import type { Admin } from '@millrace/kafka/admin'
import type { Change } from './change.ts'
import type { DesiredTopic } from './desired-topics.ts'

/** What differs between the topics that should be and those that are. Topics that nobody asked for are left alone. */
export async function planTopics(
  desired: readonly DesiredTopic[],
  replication: number,
  admin: Admin,
): Promise<Change[]> {
  const actual = await admin.topics(desired.map((topic) => topic.name))
  return desired.flatMap((topic) => {
    const present = actual.get(topic.name)
    if (!present) return [creation(topic, replication, admin)]
    return [...growth(topic, present.partitions, admin), ...reconfiguration(topic, present.config, admin)]
  })
}

function creation(topic: DesiredTopic, replication: number, admin: Admin): Change {
  return {
    resource: 'topic',
    name: topic.name,
    action: 'create',
    detail: `${topic.partitions} partitions, replication ${replication}`,
    apply: () => admin.createTopic({ ...topic, replication }),
  }
}

function growth(topic: DesiredTopic, partitions: number, admin: Admin): Change[] {
  if (partitions >= topic.partitions) return [] // partitions only grow
  return [
    {
      resource: 'topic',
      name: topic.name,
      action: 'update',
      detail: `from ${partitions} to ${topic.partitions} partitions`,
      apply: () => admin.growPartitions(topic.name, topic.partitions),
    },
  ]
}

function reconfiguration(topic: DesiredTopic, actual: Readonly<Record<string, string>>, admin: Admin): Change[] {
  const differing = Object.entries(topic.config).filter(([name, value]) => actual[name] !== value)
  if (differing.length === 0) return []
  return [
    {
      resource: 'topic',
      name: topic.name,
      action: 'update',
      detail: differing.map(([name, value]) => `${name}: ${actual[name] ?? 'unset'} → ${value}`).join(', '),
      apply: () => admin.setTopicConfig(topic.name, Object.fromEntries(differing)),
    },
  ]
}
