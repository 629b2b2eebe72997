import { MillraceError } from '@millrace/core/errors'
import type { SchemaReference } from '@millrace/core/event-type'

/** A schema's text as the registry keeps it, and what it refers to. */
export type KeptText = { readonly schema: string; readonly references: readonly SchemaReference[] }

type ResolvedText = { readonly name: string; readonly schema: string }
type Version = (subject: string, version: number) => Promise<KeptText | undefined>

const depthMax = 16
const referencesMax = 100

/**
 * The texts of all that a schema refers to, and of what those refer to, each once.
 * @throws MillraceError 'registry.refused' when one is not there, refers to itself, or there are too many; what `version` throws
 */
export async function resolveReferences(
  references: readonly SchemaReference[],
  version: Version,
): Promise<ResolvedText[]> {
  const found = new Map<string, { readonly place: string; readonly schema: string }>()
  const visit = async (wanted: readonly SchemaReference[], path: readonly string[]): Promise<void> => {
    for (const { name, subject, version: number } of wanted) {
      const place = `${subject} version ${number}`
      if (path.includes(place)) throw refused(`${place} refers to itself`)
      const known = found.get(name)
      if (known && known.place !== place) throw refused(`"${name}" is both ${known.place} and ${place}`)
      if (known) continue
      if (path.length === depthMax) throw refused(`references are followed ${depthMax} levels deep`)
      if (found.size === referencesMax) throw refused(`a schema may refer to ${referencesMax} others`)
      const kept = await version(subject, number)
      if (!kept) throw refused(`it refers to ${place}, which the registry does not have`)
      found.set(name, { place, schema: kept.schema })
      await visit(kept.references, [...path, place])
    }
  }
  await visit(references, [])
  return [...found].map(([name, { schema }]) => ({ name, schema }))
}

function refused(detail: string): MillraceError {
  return new MillraceError('registry.refused', `the references of a schema cannot be followed: ${detail}`)
}
