import type { DeclaredType } from '@millrace/core/event-type'
import type { Admin } from '@millrace/kafka/admin'
import type { Registry } from '@millrace/schemas/registry'
import type { Change } from './change.ts'
import { topicsOfType } from './desired-topics.ts'
import { isCatalogued, requireNames, requireUsable } from './event-type-check.ts'
import { conflictOf } from './event-type-conflict.ts'
import { type Catalog, planCatalog } from './plan-catalog.ts'
import { planSchemas } from './plan-schemas.ts'
import { planTopics } from './plan-topics.ts'
import { RefusedType } from './refused-type.ts'

/** What event types are made of. */
export type EventTypeWorld = {
  readonly admin: Admin
  readonly replication: number
  readonly registry: Registry
  readonly catalog: Catalog
}

/**
 * What it takes to have event types as they are declared, in a definition or through the API. Schemas come first, since they may be
 * refused, and the catalog last, since an entry says that everything else is there. A topic that has grown beyond what is declared
 * stays as large as it is.
 * @throws RefusedType when one cannot be as it is declared: then there is nothing to do for the others either
 */
export async function planEventTypes(declared: readonly DeclaredType[], world: EventTypeWorld): Promise<Change[]> {
  const { admin, replication, registry, catalog } = world
  declared.forEach(requireNames)
  const entries = await catalog.entries()
  const topics = await admin.topics(declared.flatMap(topicsOfType).map(({ name }) => name))
  const types = declared.map((type) => {
    const partitions = Math.max(type.partitions, topics.get(type.topic)?.partitions ?? 0)
    return { ...type, partitions }
  })
  for (const type of types) {
    if (isCatalogued(type, entries.get(type.name))) continue
    await requireUsable(type, types, registry)
    const conflict = conflictOf(type, { entries, topics })
    if (conflict) throw new RefusedType('conflict', conflict.detail, [conflict])
  }
  const parts = await Promise.all([
    planSchemas(types, entries, registry),
    planTopics(types.flatMap(topicsOfType), replication, admin),
    planCatalog(types, entries, catalog, registry),
  ])
  return parts.flat()
}
