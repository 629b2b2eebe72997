import { type CatalogEntry, isCompatibility } from '@millrace/core/catalog'
import { MillraceError } from '@millrace/core/errors'
import { compatibilityDefault, type DeclaredType, schemaText } from '@millrace/core/event-type'
import { valueSubject } from '@millrace/core/topic-name'
import type { Registry } from '@millrace/schemas/registry'
import { IncompatibleSchemaError, schemaTypeOf } from '@millrace/schemas/registry-answer'
import type { Change } from './change.ts'

/** The compatibility of subjects that have none of their own. Apicurio's own default is NONE. */
export async function planDefaultCompatibility(registry: Registry): Promise<Change[]> {
  const current = await registry.compatibility()
  if (current === compatibilityDefault) return []
  const detail = `compatibility of all subjects: ${current ?? 'unset'} → ${compatibilityDefault}`
  const apply = () => registry.setCompatibility(compatibilityDefault)
  return [{ resource: 'schema', name: 'default', action: 'update', detail, apply }]
}

/** The schemas that are not yet the registry's, and compatibilities that differ. */
export async function planSchemas(
  types: readonly DeclaredType[],
  entries: ReadonlyMap<string, CatalogEntry>,
  registry: Registry,
): Promise<Change[]> {
  return (await Promise.all(types.map((type) => planSchema(type, entries.get(type.name), registry)))).flat()
}

/** The compatibility comes first, so that already the first evolution keeps to it. */
async function planSchema(type: DeclaredType, entry: CatalogEntry | undefined, registry: Registry): Promise<Change[]> {
  const subject = valueSubject(type.topic)
  const [found, latest, level] = await Promise.all([
    registry.lookUp(subject, ...schemaOf(type)),
    registry.latest(subject),
    registry.compatibility(subject),
  ])
  const changes = level === type.compatibility ? [] : [compatibilityChange(type, level, registry)]
  if (!found) return [...changes, registration(type, latest?.version, level, registry)]
  const goesBack = entry?.topic === type.topic && found.version < entry.version
  return goesBack ? [...changes, goingBack(type, found.version, level, registry)] : changes
}

function compatibilityChange(type: DeclaredType, level: string | undefined, registry: Registry): Change {
  const name = valueSubject(type.topic)
  const detail = `compatibility: ${level ?? 'unset'} → ${type.compatibility}`
  const apply = () => registry.setCompatibility(type.compatibility, name)
  return { resource: 'schema', name, action: level === undefined ? 'create' : 'update', detail, apply }
}

function registration(
  type: DeclaredType,
  latest: number | undefined,
  level: string | undefined,
  registry: Registry,
): Change {
  const name = valueSubject(type.topic)
  return {
    resource: 'schema',
    name,
    action: latest === undefined ? 'create' : 'update',
    detail: `version ${(latest ?? 0) + 1}`,
    apply: () =>
      restoringLevel(name, level, registry, async () => {
        await registry.register(name, ...schemaOf(type))
      }),
  }
}

/** The registry does not mind when an earlier version is registered again, but whoever reads by it would. */
function goingBack(type: DeclaredType, version: number, level: string | undefined, registry: Registry): Change {
  const name = valueSubject(type.topic)
  const apply = async () => {
    const reasons = type.compatibility === 'NONE' ? [] : await registry.compatible(name, ...schemaOf(type))
    if (reasons.length === 0) return
    throw new IncompatibleSchemaError(
      `to go back to version ${version} of ${name}`,
      reasons.map((detail) => ({ path: '', detail })),
    )
  }
  return {
    resource: 'schema',
    name,
    action: 'update',
    detail: `back to version ${version}`,
    apply: () => restoringLevel(name, level, registry, apply),
  }
}

/** A schema that is refused changes nothing, so a compatibility that was set for it is set back. */
async function restoringLevel(
  subject: string,
  level: string | undefined,
  registry: Registry,
  apply: () => Promise<void>,
): Promise<void> {
  try {
    await apply()
  } catch (error) {
    const refused = error instanceof MillraceError && !error.retryable
    if (refused && isCompatibility(level)) await registry.setCompatibility(level, subject)
    throw error
  }
}

type SchemaArguments = [type: ReturnType<typeof schemaTypeOf>, schema: string, references: DeclaredType['references']]

function schemaOf({ format, schema, references }: DeclaredType): SchemaArguments {
  return [schemaTypeOf(format), schemaText(schema), references]
}
