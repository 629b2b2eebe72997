import { accountsTopic } from '@millrace/core/account'
import { catalogTopic } from '@millrace/core/catalog'
import { type Handler, handlerGroup } from '@millrace/core/handler'
import type { Platform } from '@millrace/core/platform'
import { ledgerTopic, ledgerTransactionalId } from '@millrace/core/ledger'
import { replaysTopic } from '@millrace/core/replay'
import { deadLetterTopic } from '@millrace/core/topic-name'
import { permissionsOf as flinkPermissionsOf } from '@millrace/flink/acls'
import type { Acl } from '@millrace/kafka/admin'

type Resource = Pick<Acl, 'resource' | 'name' | 'pattern'>

const topic = (name: string): Resource => ({ resource: 'topic', name, pattern: 'literal' })
const topicsWith = (prefix: string): Resource => ({ resource: 'topic', name: prefix, pattern: 'prefixed' })
const group = (name: string): Resource => ({ resource: 'group', name, pattern: 'literal' })
const groupsWith = (prefix: string): Resource => ({ resource: 'group', name: prefix, pattern: 'prefixed' })
const transactionalIdsWith = (prefix: string): Resource => ({
  resource: 'transactional-id',
  name: prefix,
  pattern: 'prefixed',
})
const transactionalId = (name: string): Resource => ({ resource: 'transactional-id', name, pattern: 'literal' })
const cluster: Resource = { resource: 'cluster', name: 'kafka-cluster', pattern: 'literal' }

function allow(user: string, resource: Resource, ...operations: Acl['operation'][]): Acl[] {
  return operations.map((operation) => ({ principal: `User:${user}`, ...resource, operation, permission: 'allow' }))
}

function deny(user: string, resource: Resource, ...operations: Acl['operation'][]): Acl[] {
  return operations.map((operation) => ({ principal: `User:${user}`, ...resource, operation, permission: 'deny' }))
}

/**
 * What the platform's own parts may do before any event type exists. The gateway may make, grow and use event topics, which have any
 * name but the internal ones; it makes no ACLs and deletes nothing. Monitoring reads what there is to count it, and writes the accounting.
 */
export const foundationAcls: readonly Acl[] = [
  ...allow('gateway', topic('*'), 'Create', 'Describe', 'DescribeConfigs', 'Read', 'Write', 'Alter', 'AlterConfigs'),
  ...deny('gateway', topicsWith('_'), 'All'),
  ...deny('gateway', topicsWith('connect-'), 'All'),
  ...deny('gateway', topic(catalogTopic), 'Alter', 'AlterConfigs'),
  ...deny('gateway', topic(replaysTopic), 'Alter', 'AlterConfigs'),
  ...deny('gateway', topic(accountsTopic), 'Alter', 'AlterConfigs', 'Write'),
  ...deny('gateway', topic(ledgerTopic), 'Alter', 'AlterConfigs', 'Write'),

  ...allow('registry', topicsWith('_apicurio-'), 'Describe', 'DescribeConfigs', 'Read', 'Write'),
  ...allow('registry', groupsWith('apicurio-'), 'Read', 'Describe'),

  ...allow('connect', topicsWith('_connect-'), 'Describe', 'DescribeConfigs', 'Read', 'Write'),
  ...allow('connect', group('connect-cluster'), 'Read', 'Describe'),

  ...allow('worker', topic(catalogTopic), 'Describe', 'Read'),

  ...allow('monitor', cluster, 'Describe'),
  ...allow('monitor', topic('*'), 'Describe', 'Read'),
  ...allow('monitor', topic(ledgerTopic), 'Write'),
  ...allow('monitor', transactionalId(ledgerTransactionalId), 'Describe', 'Write'),
  ...allow('monitor', group('*'), 'Describe'),
]

/** What a definition's pipelines, sinks and readers may do: literal topics, and groups and transactional ids of their own. */
export function aclsOf(platform: Platform): Acl[] {
  return [
    ...platform.pipelines.flatMap((pipeline) =>
      flinkPermissionsOf(pipeline).flatMap(({ operations, ...resource }) => allow('flink', resource, ...operations)),
    ),
    ...platform.sinks.flatMap(({ name, from }) => [
      ...allow('connect', topic(from.topic), 'Describe', 'Read'),
      ...allow('connect', topic(deadLetterTopic(from.topic)), 'Describe', 'Write'),
      ...allow('connect', group(`connect-${name}`), 'Read', 'Describe'),
    ]),
    ...platform.handlers.flatMap(handlerAcls),
    ...platform.access.flatMap(({ user, topics }) => readerAcls(user, topics)),
  ]
}

function handlerAcls({ name, from, to }: Handler): Acl[] {
  const outputs = [deadLetterTopic(from.topic), accountsTopic, ...to.map((type) => type.topic)]
  return [
    ...allow('worker', topic(from.topic), 'Describe', 'Read'),
    ...outputs.flatMap((output) => allow('worker', topic(output), 'Describe', 'Write')),
    ...allow('worker', group(handlerGroup(name)), 'Read', 'Describe'),
    ...allow('worker', transactionalIdsWith(`${handlerGroup(name)}-`), 'Describe', 'Write'),
  ]
}

function readerAcls(user: string, topics: readonly string[]): Acl[] {
  return [...topics.flatMap((name) => allow(user, topic(name), 'Describe', 'Read')), ...readerGroups(user)]
}

function readerGroups(user: string): Acl[] {
  return allow(user, groupsWith(`${user}-`), 'Read', 'Describe')
}

/**
 * Whether a principal's ACLs are those of a reader of some definition: that it may use groups that begin with its own name is what
 * we write, and nobody else by chance.
 */
export function isReader(principal: string, acls: readonly Acl[]): boolean {
  const user = principal.replace(/^User:/, '')
  const texts = (some: readonly Acl[]) => some.map((acl) => JSON.stringify(acl))
  const topics = acls.filter(({ resource }) => resource === 'topic').map(({ name }) => name)
  const possible = new Set(texts(readerAcls(user, topics)))
  const own = texts(acls)
  return own.every((text) => possible.has(text)) && texts(readerGroups(user)).some((text) => own.includes(text))
}
