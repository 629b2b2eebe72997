import type { Acl, Admin } from '@millrace/kafka/admin'
import type { Change } from './change.ts'
import { isReader } from './desired-acls.ts'

/**
 * The ACLs to add and, for the principals that the desired ones name, those to take away: a component that needs less than
 * before can do less than before. A reader that the definition names no more loses its password and all that it may; its password
 * first, since by its ACLs it is found again. ACLs of other principals are somebody else's.
 */
export async function planAcls(desired: readonly Acl[], admin: Admin): Promise<Change[]> {
  const principals = new Set(desired.map((acl) => acl.principal))
  const all = await admin.describeAcls()
  const former = byPrincipal(all.filter(({ principal }) => !principals.has(principal)))
    .filter(([principal, acls]) => isReader(principal, acls))
    .map(([principal]) => principal)
  const actual = all.filter(({ principal }) => principals.has(principal) || former.includes(principal))
  const wanted = new Map(desired.map((acl) => [sentence(acl), acl]))
  const present = new Map(actual.map((acl) => [sentence(acl), acl]))
  const missing = [...wanted].filter(([name]) => !present.has(name)).map(([, acl]) => acl)
  const surplus = [...present].filter(([name]) => !wanted.has(name)).map(([, acl]) => acl)
  return [
    ...(await planUserRemovals(former, admin)),
    ...byPrincipal(missing).map(([principal, acls]) => change('create', principal, acls, () => admin.createAcls(acls))),
    ...byPrincipal(surplus).map(([principal, acls]) => change('delete', principal, acls, () => admin.deleteAcls(acls))),
  ]
}

async function planUserRemovals(principals: readonly string[], admin: Admin): Promise<Change[]> {
  if (principals.length === 0) return []
  const users = (await admin.scramUsers()).filter((user) => principals.includes(`User:${user}`))
  return users.map((user) => ({
    resource: 'user',
    name: user,
    action: 'delete',
    detail: 'the definition gives access to no user of this name',
    apply: () => admin.deleteScramCredential(user),
  }))
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
