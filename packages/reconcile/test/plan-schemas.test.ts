import { type CatalogEntry, catalogEntryOf } from '@millrace/core/catalog'
import { type DeclaredType, eventType, schemaText } from '@millrace/core/event-type'
import type { Registry } from '@millrace/schemas/registry'
import { IncompatibleSchemaError } from '@millrace/schemas/registry-answer'
import { expect, test } from 'vitest'
import { applyChanges } from '../src/change.ts'
import { planSchemas } from '../src/plan-schemas.ts'

const type: DeclaredType = eventType('order.placed', { schema: { type: 'object' }, compatibility: 'FULL' })
const none: ReadonlyMap<string, CatalogEntry> = new Map()

/** A subject in a registry that remembers what was done to it. */
function registryWith(versions: readonly string[], level: string | undefined, incompatible = false) {
  const done: string[] = []
  const kept = (schema: string) => {
    const index = versions.indexOf(schema)
    return index === -1
      ? undefined
      : { id: index + 1, version: index + 1, type: 'JSON' as const, schema, references: [] }
  }
  const unused = () => Promise.reject(new Error('not part of this test'))
  const registry: Registry = {
    lookUp: (_subject, _type, schema) => Promise.resolve(kept(schema)),
    latest: () => Promise.resolve(kept(versions.at(-1) ?? '')),
    compatibility: () => Promise.resolve(level),
    setCompatibility: (set) => Promise.resolve(void done.push(set)),
    register: (subject, _type, schema) => {
      done.push('register')
      if (incompatible) return Promise.reject(new IncompatibleSchemaError(subject, []))
      return Promise.resolve({ id: 9, version: versions.length + 1, type: 'JSON', schema, references: [] })
    },
    compatible: () => Promise.resolve(incompatible ? ['it forbids it'] : []),
    byId: unused,
    version: unused,
    subjects: unused,
    subjectsOf: unused,
    close: () => Promise.resolve(),
  }
  return { registry, done }
}

async function apply(registry: Registry, entries = none): Promise<void> {
  await applyChanges(await planSchemas([type], entries, registry), () => undefined)
}

test('the compatibility is set before the schema is registered', async () => {
  const { registry, done } = registryWith([], undefined)
  await apply(registry)
  expect(done).toEqual(['FULL', 'register'])
})

test('a schema that is refused takes the compatibility back that was set for it', async () => {
  const { registry, done } = registryWith(['{}'], 'BACKWARD', true)
  await expect(apply(registry)).rejects.toBeInstanceOf(IncompatibleSchemaError)
  expect(done).toEqual(['FULL', 'register', 'BACKWARD'])
})

test('what is there is left as it is', async () => {
  const { registry } = registryWith([schemaText(type.schema)], 'FULL')
  expect(await planSchemas([type], none, registry)).toEqual([])
})

test('a type goes back to an earlier version only where the newest allows it', async () => {
  const versions = [schemaText(type.schema), '{}']
  const entries = new Map([[type.name, catalogEntryOf(type, { id: 2, version: 2, references: [] })]])
  await expect(apply(registryWith(versions, 'FULL', true).registry, entries)).rejects.toBeInstanceOf(
    IncompatibleSchemaError,
  )
  await apply(registryWith(versions, 'FULL').registry, entries)
  const back = new Map([[type.name, catalogEntryOf(type, { id: 1, version: 1, references: [] })]])
  expect(await planSchemas([type], back, registryWith(versions, 'FULL').registry)).toEqual([])
})
