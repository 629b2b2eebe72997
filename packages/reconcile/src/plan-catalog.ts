import { type CatalogEntry, catalogEntryOf } from '@millrace/core/catalog'
import { MillraceError } from '@millrace/core/errors'
import { type EventType, schemaText } from '@millrace/core/event-type'
import { valueSubject } from '@millrace/core/topic-name'
import type { Registry } from '@millrace/schemas/registry'
import type { Change } from './change.ts'

/** The catalog as `apply` sees it: read as a whole, written an entry at a time. */
export type Catalog = {
  readonly entries: () => Promise<ReadonlyMap<string, CatalogEntry>>
  readonly write: (entry: CatalogEntry) => Promise<void>
}

/** The entries that the catalog lacks or has otherwise. Types that nobody declares here were made through the API and stay. */
export async function planCatalog(
  types: readonly EventType[],
  catalog: Catalog,
  registry: Registry,
): Promise<Change[]> {
  const current = await catalog.entries()
  const changes = types.map((type) => planEntry(type, current.get(type.name), catalog, registry))
  return (await Promise.all(changes)).flat()
}

async function planEntry(
  type: EventType,
  current: CatalogEntry | undefined,
  catalog: Catalog,
  registry: Registry,
): Promise<Change[]> {
  const desired = await entryOf(type, registry)
  if (desired && current && JSON.stringify(desired) === JSON.stringify(current)) return []
  return [
    {
      resource: 'event-type',
      name: type.name,
      action: current ? 'update' : 'create',
      detail: `topic ${type.topic}`,
      // By now its schema is registered, if it was not when the plan was made.
      apply: async () => catalog.write(registered(type, await entryOf(type, registry))),
    },
  ]
}

async function entryOf(type: EventType, registry: Registry): Promise<CatalogEntry | undefined> {
  const found = await registry.lookUp(valueSubject(type.topic), 'JSON', schemaText(type.schema))
  return found && catalogEntryOf(type, { ...found, references: [] })
}

function registered(type: EventType, entry: CatalogEntry | undefined): CatalogEntry {
  if (entry) return entry
  throw new MillraceError('registry.refused', `the schema of ${type.name} is not in the registry`)
}
