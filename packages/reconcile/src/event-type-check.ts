import { type CatalogEntry, catalogEntryOf, type ResolvedReference } from '@millrace/core/catalog'
import type { Violation } from '@millrace/core/cloud-event'
import { MillraceError } from '@millrace/core/errors'
import { type DeclaredType, schemaText, type SchemaReference } from '@millrace/core/event-type'
import type { JsonPointer } from '@millrace/core/json'
import { nameViolation, valueSubject } from '@millrace/core/topic-name'
import type { SchemaSource } from '@millrace/schemas/codec'
import { compileCodec } from '@millrace/schemas/compile-codec'
import { resolveReferences } from '@millrace/schemas/references'
import type { Registry } from '@millrace/schemas/registry'
import { placeOf } from '@millrace/schemas/schema-place'
import { RefusedType } from './refused-type.ts'

/** What a record of the catalog may be: Kafka takes a mebibyte with all that is around it. */
const entryBytesMax = 900_000
/** No registry gives a larger one. */
const numberMax = 2_147_483_647

/**
 * Checks that the names of an event type and its topic are not those of the platform's own parts.
 * @throws RefusedType
 */
export function requireNames({ name, topic }: Pick<DeclaredType, 'name' | 'topic'>): void {
  requireName('the event type', name, '')
  requireName('the topic', topic, '/topic')
}

function requireName(what: string, name: string, pointer: '' | '/topic'): void {
  const violation = nameViolation(name)
  if (violation === undefined) return
  const detail = `${what} "${name.slice(0, 300)}" ${violation}`
  throw new RefusedType('unusable', detail, [{ pointer, detail }])
}

/**
 * Checks that events can be read by a schema, that what is named in them is there, as far as the schema tells, and that the catalog
 * can keep it with all that it refers to. References may lead to `others`, which are declared too and not registered yet.
 * @throws RefusedType, MillraceError 'registry.unavailable'
 */
export async function requireUsable(
  type: DeclaredType,
  others: readonly DeclaredType[],
  registry: Pick<Registry, 'version'>,
): Promise<void> {
  const references = await resolved(type, others, registry)
  const errors = usable(type, { format: type.format, schema: type.schema, references })
  if (errors.length > 0) {
    throw new RefusedType('unusable', `the schema of ${type.name} has nothing where a pointer leads`, errors)
  }
  const entry = catalogEntryOf(type, { id: numberMax, version: numberMax, references })
  const bytes = Buffer.byteLength(JSON.stringify(entry))
  if (bytes <= entryBytesMax) return
  const detail = `${type.name} takes ${bytes} bytes with all that its schema refers to, and may take ${entryBytesMax}`
  throw new RefusedType('unusable', detail, [{ pointer: '/schema', detail }])
}

/** Whether the catalog has a type as it is declared, which was checked before it got there. */
export function isCatalogued(type: DeclaredType, entry: CatalogEntry | undefined): boolean {
  if (!entry) return false
  const { schemaId: id, version, references } = entry
  const same = JSON.stringify(catalogEntryOf(type, { id, version, references })) === JSON.stringify(entry)
  return same && namesOf(type.references) === namesOf(references.filter(({ transitive }) => transitive !== true))
}

function namesOf(references: readonly SchemaReference[]): string {
  return JSON.stringify(references.map(({ name, subject, version }) => [name, subject, version]))
}

async function resolved(
  { references }: DeclaredType,
  others: readonly DeclaredType[],
  registry: Pick<Registry, 'version'>,
): Promise<ResolvedReference[]> {
  const declared = (subject: string) => {
    const other = others.find(({ topic }) => valueSubject(topic) === subject)
    return other && { schema: schemaText(other.schema), references: other.references }
  }
  const version = async (subject: string, number: number) =>
    (await registry.version(subject, number)) ?? declared(subject)
  return resolveReferences({ version }, references).catch((error: unknown) => refused(error, '/references'))
}

function usable({ key, time, sensitive }: DeclaredType, source: SchemaSource): Violation[] {
  try {
    compileCodec(source)
    return [
      ...scalarViolation(source, '/key', key),
      ...scalarViolation(source, '/time', time),
      ...sensitive.flatMap((pointer, index) =>
        placeOf(source, pointer) === 'absent' ? [absent(`/sensitive/${index}`, pointer)] : [],
      ),
    ]
  } catch (error) {
    return refused(error, '/schema')
  }
}

function refused(error: unknown, pointer: JsonPointer): never {
  if (!(error instanceof MillraceError) || error.code !== 'registry.refused') throw error
  throw new RefusedType('unusable', error.message, [{ pointer, detail: error.message }])
}

function scalarViolation(
  source: SchemaSource,
  member: '/key' | '/time',
  pointer: JsonPointer | undefined,
): Violation[] {
  if (pointer === undefined) return []
  switch (placeOf(source, pointer)) {
    case 'absent':
      return [absent(member, pointer)]
    case 'compound':
      return [{ pointer: member, detail: `"${pointer}" names no scalar: a key or a time is one value` }]
    case 'scalar':
    case 'unknown':
      return []
  }
}

function absent(member: JsonPointer, pointer: JsonPointer): Violation {
  return { pointer: member, detail: `"${pointer}" names nothing in the schema` }
}
