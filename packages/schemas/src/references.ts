import type { ResolvedReference } from '@millrace/core/catalog'
import { MillraceError } from '@millrace/core/errors'
import type { SchemaReference } from '@millrace/core/event-type'
import type { KeptText } from './schema-references.ts'

type Versions = { readonly version: (subject: string, version: number) => Promise<KeptText | undefined> }

/** How many references a schema may have, with theirs. */
const referencesMax = 100

/**
 * The texts that a schema refers to, and those that they refer to in turn, each name once: the nearest wins.
 * @throws MillraceError 'registry.refused' when there is no such version, or there are too many; 'registry.unavailable'
 */
export async function resolveReferences(
  registry: Versions,
  references: readonly SchemaReference[],
): Promise<ResolvedReference[]> {
  const resolved = new Map<string, ResolvedReference>()
  let level = references
  for (let depth = 0; level.length > 0; depth++) {
    const wanted = level.filter(({ name }) => !resolved.has(name))
    if (resolved.size + wanted.length > referencesMax) {
      throw new MillraceError('registry.refused', `a schema may have ${referencesMax} references, with theirs`)
    }
    const found = await Promise.all(wanted.map((reference) => referredTo(registry, reference)))
    for (const [index, { name, subject, version }] of wanted.entries()) {
      const schema = found[index]?.schema ?? ''
      if (!resolved.has(name)) {
        resolved.set(name, { name, subject, version, schema, ...(depth > 0 && { transitive: true }) })
      }
    }
    level = found.flatMap((schema) => schema.references)
  }
  return [...resolved.values()]
}

async function referredTo(registry: Versions, { name, subject, version }: SchemaReference) {
  const found = await registry.version(subject, version)
  if (found) return found
  throw new MillraceError(
    'registry.refused',
    `"${name}" refers to version ${version} of the subject "${subject}", which the schema registry does not have`,
  )
}
