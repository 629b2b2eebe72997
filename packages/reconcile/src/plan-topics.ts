import { topicCollision } from '@millrace/core/topic-name'
import type { Admin } from '@millrace/kafka/admin'
import type { Change } from './change.ts'
import type { DesiredTopic } from './desired-topics.ts'
import { RefusedType } from './refused-type.ts'

type TopicAdmin = Pick<Admin, 'topics' | 'topicNames' | 'createTopic' | 'growPartitions' | 'setTopicConfig'>

/**
 * What differs between the topics that should be and those that are. Topics that nobody asked for are left alone.
 * @throws RefusedType where Kafka would not tell a topic that is missing from another
 */
export async function planTopics(
  desired: readonly DesiredTopic[],
  replication: number,
  admin: TopicAdmin,
): Promise<Change[]> {
  const names = desired.map((topic) => topic.name)
  const actual = await admin.topics(names)
  await requireApart(
    names.filter((name) => !actual.has(name)),
    admin,
  )
  return desired.flatMap((topic) => {
    const present = actual.get(topic.name)
    if (!present) return [creation(topic, replication, admin)]
    return [...growth(topic, present.partitions, admin), ...reconfiguration(topic, present.config, admin)]
  })
}

async function requireApart(missing: readonly string[], admin: TopicAdmin): Promise<void> {
  if (missing.length === 0) return
  const others = [...(await admin.topicNames()), ...missing]
  // A topic itself before that of its dead letters, of which nobody has thought.
  for (const name of missing.toSorted((one, other) => one.length - other.length)) {
    const detail = topicCollision(name, others)
    if (detail !== undefined) throw new RefusedType('conflict', detail, [{ pointer: '/topic', detail }])
  }
}

function creation(topic: DesiredTopic, replication: number, admin: TopicAdmin): Change {
  return {
    resource: 'topic',
    name: topic.name,
    action: 'create',
    detail: `${topic.partitions} partitions, replication ${replication}`,
    apply: () => admin.createTopic({ ...topic, replication }),
  }
}

function growth(topic: DesiredTopic, partitions: number, admin: TopicAdmin): Change[] {
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

function reconfiguration(topic: DesiredTopic, actual: Readonly<Record<string, string>>, admin: TopicAdmin): Change[] {
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
