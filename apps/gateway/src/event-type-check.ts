import type { ResolvedReference } from '@millrace/core/catalog'
import type { Violation } from '@millrace/core/cloud-event'
import type { DeclaredType } from '@millrace/core/event-type'
import type { JsonPointer } from '@millrace/core/json'
import type { SchemaSource } from '@millrace/schemas/codec'
import { compileCodec } from '@millrace/schemas/compile-codec'
import { resolveReferences } from '@millrace/schemas/references'
import type { Registry } from '@millrace/schemas/registry'
import { placeOf } from '@millrace/schemas/schema-place'
import { unprocessable } from './event-type-body.ts'
import { refusedSchema } from './event-type-refusal.ts'

/**
 * Checks that events can be read by a schema, and that what is named in them is there, as far as the schema tells.
 * @throws ProblemError 422, MillraceError 'registry.unavailable'
 */
export async function requireUsable(type: DeclaredType, registry: Registry): Promise<void> {
  const references = await resolved(type, registry)
  const source: SchemaSource = { format: type.format, schema: type.schema, references }
  const errors = usable(type, source)
  if (errors.length > 0) throw unprocessable(`the schema of ${type.name} has nothing where a pointer leads`, errors)
}

async function resolved({ references }: DeclaredType, registry: Registry): Promise<ResolvedReference[]> {
  return resolveReferences(registry, references).catch((error: unknown) => refusedSchema(error, '/references'))
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
    return refusedSchema(error)
  }
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
