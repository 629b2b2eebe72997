import { type CatalogEntry, catalogEntryOf } from '@millrace/core/catalog'
import { MillraceError } from '@millrace/core/errors'
import { type DeclaredType, schemaText } from '@millrace/core/event-type'
import { valueSubject } from '@millrace/core/topic-name'
import { resolveReferences } from '@millrace/schemas/references'
import type { Registry } from '@millrace/schemas/registry'
import { schemaTypeOf } from '@millrace/schemas/registry-answer'
import type { Change } from './change.ts'
import { topicOfAnother } from './event-type-conflict.ts'
import { RefusedType } from './refused-type.ts'

/** The catalog as `apply` and the API see it: read as a whole, written an entry at a time. */
export type Catalog = {
  readonly entries: () => Promise<ReadonlyMap<string, CatalogEntry>>
  readonly write: (entry: CatalogEntry) => Promise<void>
  /** Takes a type out that has no topic. */
  readonly withdraw: (type: string) => Promise<void>
}

/** The entries that the catalog lacks or has otherwise. Types that nobody declares here were made through the API and stay. */
export async function planCatalog(
  types: readonly DeclaredType[],
  entries: ReadonlyMap<string, CatalogEntry>,
  catalog: Catalog,
  registry: Registry,
): Promise<Change[]> {
  const changes = types.map((type) => planEntry(type, entries.get(type.name), catalog, registry))
  return (await Promise.all(changes)).flat()
}

async function planEntry(
  type: DeclaredType,
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
      apply: async () => {
        await catalog.write(registered(type, await entryOf(type, registry)))
        if (!current) await requireTopic(type, catalog)
      },
    },
  ]
}

/**
 * Another instance may have made a type with the same topic at the same moment: whoever is first in the log has it.
 * @throws RefusedType
 */
async function requireTopic(type: DeclaredType, catalog: Catalog): Promise<void> {
  const entries = await catalog.entries()
  const conflict = topicOfAnother(type, entries)
  if (!conflict) return
  if (!entries.has(type.name)) await catalog.withdraw(type.name)
  throw new RefusedType('conflict', conflict.detail, [conflict])
}

async function entryOf(type: DeclaredType, registry: Registry): Promise<CatalogEntry | undefined> {
  const { topic, format, schema, references } = type
  const found = await registry.lookUp(valueSubject(topic), schemaTypeOf(format), schemaText(schema), references)
  return found && catalogEntryOf(type, { ...found, references: await resolveReferences(registry, references) })
}

function registered(type: DeclaredType, entry: CatalogEntry | undefined): CatalogEntry {
  if (entry) return entry
  throw new MillraceError('registry.refused', `the schema of ${type.name} is not in the registry`)
}
