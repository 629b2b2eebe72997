import type { Acl, Admin } from '@millrace/kafka/admin'
import type { Change } from './change.ts'

/**
 * The ACLs to add and, for the principals that the desired ones name, those to take away: a component that needs less than
 * before can do less than before. ACLs of other principals are somebody else's.
 */
export async function planAcls(desired: readonly Acl[], admin: Admin): Promise<Change[]> {
  const principals = new Set(desired.map((acl) => acl.principal))
  const actual = (await admin.describeAcls()).filter((acl) => principals.has(acl.principal))
  const wanted = new Map(desired.map((acl) => [sentence(acl), acl]))
  const present = new Map(actual.map((acl) => [sentence(acl), acl]))
  const missing = [...wanted].filter(([name]) => !present.has(name)).map(([, acl]) => acl)
  const surplus = [...present].filter(([name]) => !wanted.has(name)).map(([, acl]) => acl)
  return [
    ...byPrincipal(missing).map(([principal, acls]) => change('create', principal, acls, () => admin.createAcls(acls))),
    ...byPrincipal(surplus).map(([principal, acls]) => change('delete', principal, acls, () => admin.deleteAcls(acls))),
  ]
}

function change(
  action: 'create' | 'delete',
  principal: string,
  acls: readonly Acl[],
  apply: () => Promise<void>,
): Change {
  return { resource: 'acl', name: principal, action, detail: acls.map(sentence).join('; '), apply }
}

function byPrincipal(acls: readonly Acl[]): [string, Acl[]][] {
  return Object.entries(Object.groupBy(acls, (acl) => acl.principal)).map(([principal, own]) => [principal, own ?? []])
}

function sentence({ principal, permission, operation, resource, name, pattern }: Acl): string {
  return `${principal} ${permission} ${operation} on ${resource} ${name}${pattern === 'prefixed' ? '…' : ''}`
}
