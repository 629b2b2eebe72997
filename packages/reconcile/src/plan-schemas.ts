import { type EventType, schemaText } from '@millrace/core/event-type'
import { valueSubject } from '@millrace/core/topic-name'
import type { Registry } from '@millrace/schemas/registry'
import type { Change } from './change.ts'

/** The compatibility that a subject has unless its event type says otherwise. Apicurio's own default is NONE. */
const compatibilityDefault = 'BACKWARD'

/** The schemas that are not yet the registry's, and compatibilities that differ. */
export async function planSchemas(types: readonly EventType[], registry: Registry): Promise<Change[]> {
  const changes = await Promise.all(types.map((type) => planSchema(type, registry)))
  return [...(await planDefaultCompatibility(registry)), ...changes.flat()]
}

async function planDefaultCompatibility(registry: Registry): Promise<Change[]> {
  const current = await registry.compatibility()
  if (current === compatibilityDefault) return []
  const detail = `compatibility of all subjects: ${current ?? 'unset'} → ${compatibilityDefault}`
  const apply = () => registry.setCompatibility(compatibilityDefault)
  return [{ resource: 'schema', name: 'default', action: 'update', detail, apply }]
}

async function planSchema(type: EventType, registry: Registry): Promise<Change[]> {
  const name = valueSubject(type.topic)
  const schema = schemaText(type.schema)
  const [found, latest, compatibility] = await Promise.all([
    registry.lookUp(name, 'JSON', schema),
    registry.latest(name),
    registry.compatibility(name),
  ])
  const changes: Change[] = []
  if (!found) {
    changes.push({
      resource: 'schema',
      name,
      action: latest ? 'update' : 'create',
      detail: latest ? `version ${latest.version + 1}` : 'version 1',
      apply: async () => {
        await registry.register(name, 'JSON', schema)
      },
    })
  }
  if (compatibility !== type.compatibility && type.compatibility !== compatibilityDefault) {
    const detail = `compatibility: ${compatibility ?? 'unset'} → ${type.compatibility}`
    const apply = () => registry.setCompatibility(type.compatibility, name)
    changes.push({ resource: 'schema', name, action: 'update', detail, apply })
  }
  return changes
}
