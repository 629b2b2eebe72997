import type { DeclaredType } from '@millrace/core/event-type'
import type { Admin } from '@millrace/kafka/admin'
import type { Registry } from '@millrace/schemas/registry'
import type { Change } from './change.ts'
import { topicsOfType } from './desired-topics.ts'
import { type Catalog, planCatalog } from './plan-catalog.ts'
import { planSchemas } from './plan-schemas.ts'
import { planTopics } from './plan-topics.ts'

/** What event types are made of. */
export type EventTypeWorld = {
  readonly admin: Admin
  readonly replication: number
  readonly registry: Registry
  readonly catalog: Catalog
}

/**
 * What it takes to have event types as they are declared, in a definition or through the API. Schemas come first, since they may be
 * refused, and the catalog last, since an entry says that everything else is there.
 */
export async function planEventTypes(types: readonly DeclaredType[], world: EventTypeWorld): Promise<Change[]> {
  const { admin, replication, registry, catalog } = world
  const entries = await catalog.entries()
  const parts = await Promise.all([
    planSchemas(types, entries, registry),
    planTopics(types.flatMap(topicsOfType), replication, admin),
    planCatalog(types, entries, catalog, registry),
  ])
  return parts.flat()
}
