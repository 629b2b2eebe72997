import {
  type AclFilter,
  AclOperations,
  AclPermissionTypes,
  ResourcePatternTypes,
  ResourceTypes,
  type Acl as ClientAcl,
} from '@platformatic/kafka'

const resources = {
  topic: ResourceTypes.TOPIC,
  group: ResourceTypes.GROUP,
  'transactional-id': ResourceTypes.TRANSACTIONAL_ID,
  cluster: ResourceTypes.CLUSTER,
} as const

const patterns = { literal: ResourcePatternTypes.LITERAL, prefixed: ResourcePatternTypes.PREFIXED } as const

const operations = {
  All: AclOperations.ALL,
  Read: AclOperations.READ,
  Write: AclOperations.WRITE,
  Create: AclOperations.CREATE,
  Delete: AclOperations.DELETE,
  Alter: AclOperations.ALTER,
  Describe: AclOperations.DESCRIBE,
  ClusterAction: AclOperations.CLUSTER_ACTION,
  DescribeConfigs: AclOperations.DESCRIBE_CONFIGS,
  AlterConfigs: AclOperations.ALTER_CONFIGS,
  IdempotentWrite: AclOperations.IDEMPOTENT_WRITE,
} as const

const permissions = { allow: AclPermissionTypes.ALLOW, deny: AclPermissionTypes.DENY } as const

/** Who may, or may not, do what to which resource. Kafka lets DENY win over ALLOW. The host is always any. */
export type Acl = {
  /** As Kafka writes it: `User:<name>`. */
  readonly principal: string
  readonly resource: keyof typeof resources
  /** A name, a prefix or `*`; the cluster is `kafka-cluster`. */
  readonly name: string
  readonly pattern: keyof typeof patterns
  readonly operation: keyof typeof operations
  readonly permission: keyof typeof permissions
}

export function toClient(acl: Acl): ClientAcl {
  return {
    principal: acl.principal,
    host: '*',
    resourceType: resources[acl.resource],
    resourceName: acl.name,
    resourcePatternType: patterns[acl.pattern],
    operation: operations[acl.operation],
    permissionType: permissions[acl.permission],
  }
}

/** An ACL of the cluster in our words, or `undefined` for one that we never write (a host of its own, another kind of resource). */
export function fromClient(acl: ClientAcl): Acl | undefined {
  const resource = nameOf(resources, acl.resourceType)
  const pattern = nameOf(patterns, acl.resourcePatternType)
  const operation = nameOf(operations, acl.operation)
  const permission = nameOf(permissions, acl.permissionType)
  if (!resource || !pattern || !operation || !permission || acl.host !== '*') return undefined
  return { principal: acl.principal, resource, name: acl.resourceName, pattern, operation, permission }
}

/** Matches every ACL that there is. */
export const everyAcl: AclFilter = {
  resourceType: ResourceTypes.ANY,
  resourceName: null,
  resourcePatternType: ResourcePatternTypes.ANY,
  principal: null,
  host: null,
  operation: AclOperations.ANY,
  permissionType: AclPermissionTypes.ANY,
}

function nameOf<Name extends string>(names: Readonly<Record<Name, number>>, value: number): Name | undefined {
  for (const name in names) if (names[name] === value) return name
  return undefined
}
