import type { Platform } from '@millrace/core/platform'
import type { Admin } from '@millrace/kafka/admin'
import type { Change } from './change.ts'
import { aclsOf, foundationAcls } from './desired-acls.ts'
import { foundationTopics } from './desired-topics.ts'
import { planAcls } from './plan-acls.ts'
import { planTopics } from './plan-topics.ts'

/**
 * What must be there before the platform's servers can start: their own topics, and every ACL. The definition's ACLs are made here
 * too, since permissions are taken away by comparing all that a user should have with all that it has.
 */
export async function planFoundation(platform: Platform, replication: number, admin: Admin): Promise<Change[]> {
  const acls = await planAcls([...foundationAcls, ...aclsOf(platform)], admin)
  return [...acls, ...(await planTopics(foundationTopics, replication, admin))]
}
