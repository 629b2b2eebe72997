import type { SchemaReference } from '@millrace/core/event-type'
import { expect, test } from 'vitest'
import { resolveReferences } from '../src/references.ts'

type Kept = Readonly<Record<string, readonly SchemaReference[]>>
const to = (name: string): SchemaReference => ({ name, subject: name, version: 1 })

/** Subjects that refer to each other as told. */
function registryOf(kept: Kept) {
  return {
    version: (subject: string) => {
      const references = kept[subject]
      const schema = references && {
        id: 1,
        version: 1,
        type: 'AVRO' as const,
        schema: `text of ${subject}`,
        references,
      }
      return Promise.resolve(schema)
    },
  }
}

test('what is referred to is resolved, with what that refers to, each name once', async () => {
  const registry = registryOf({ a: [to('c')], b: [to('c'), to('a')], c: [] })
  expect(await resolveReferences(registry, [to('a'), to('b')])).toEqual([
    { ...to('a'), schema: 'text of a' },
    { ...to('b'), schema: 'text of b' },
    { ...to('c'), schema: 'text of c', transitive: true },
  ])
})

test('references in a circle end', async () => {
  const names = (await resolveReferences(registryOf({ a: [to('b')], b: [to('a')] }), [to('a')])).map(({ name }) => name)
  expect(names).toEqual(['a', 'b'])
})

test('a reference to nothing is refused, and so are too many', async () => {
  await expect(resolveReferences(registryOf({ a: [to('b')] }), [to('a')])).rejects.toMatchObject({
    code: 'registry.refused',
    message: '"b" refers to version 1 of the subject "b", which the schema registry does not have',
  })
  const names = Array.from({ length: 101 }, (_, index) => `s${index}`)
  const many = registryOf(Object.fromEntries(names.map((name) => [name, []])))
  await expect(resolveReferences(many, names.map(to))).rejects.toMatchObject({ code: 'registry.refused' })
})
