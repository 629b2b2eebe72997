import type { CatalogEntry } from '@millrace/core/catalog'
import { MillraceError } from '@millrace/core/errors'
import type { Violation } from '@millrace/core/cloud-event'
import type { DeclaredType } from '@millrace/core/event-type'
import { isPointer, type JsonPointer, type JsonValue, pointerOf, valueAt } from '@millrace/core/json'
import { RefusedType } from '@millrace/reconcile/refused-type'
import { type Incompatibility, IncompatibleSchemaError } from '@millrace/schemas/registry-answer'
import { differencesOf } from '@millrace/schemas/schema-difference'
import { unprocessable } from './event-type-body.ts'
import { problem, ProblemError } from './problem.ts'

/** @throws ProblemError 422 where a schema or a name is refused, 409 where there is something in the way; else what was thrown */
export function refusedType(error: unknown): never {
  if (error instanceof RefusedType) {
    throw new ProblemError(problem(error.kind === 'conflict' ? 409 : 422, error.message, { errors: error.violations }))
  }
  if (!(error instanceof MillraceError) || error.code !== 'registry.refused') throw error
  throw unprocessable(error.message, [{ pointer: '/schema', detail: error.message }])
}

/** @throws ProblemError 409 where the schema may not follow the former one or the cluster refuses the topic, 422 as above */
export function incompatible(error: unknown, type: DeclaredType, current: CatalogEntry | undefined): never {
  if (error instanceof MillraceError && error.code === 'kafka.refused') {
    throw new ProblemError(problem(409, error.message, { errors: [{ pointer: '/topic', detail: error.message }] }))
  }
  if (!(error instanceof IncompatibleSchemaError)) refusedType(error)
  const found = [...ownDifferences(type, current), ...error.incompatibilities]
  const [first] = found
  const after = current ? `version ${current.version}` : 'its former versions'
  const where = first ? `: ${sentence(first)}` : ''
  const detail = `the schema is not ${type.compatibility} compatible with ${after} of ${type.name}${where}`
  const errors = found.map((reason) => violationOf(reason, type))
  throw new ProblemError(problem(409, detail, { errors }))
}

/** A former schema may be one that is no longer read here, or have references that the new one has not: then the registry's reasons must do. */
function ownDifferences(type: DeclaredType, current: CatalogEntry | undefined): Incompatibility[] {
  if (!current) return []
  try {
    const next = { ...type, references: current.references }
    return differencesOf(current, next, type.compatibility)
  } catch {
    return []
  }
}

function violationOf(reason: Incompatibility, { schema, compatibility }: DeclaredType): Violation {
  const detail = `${sentence(reason)} (${compatibility})`
  return { pointer: typeof schema === 'string' ? '/schema' : `/schema${nearest(schema, reason.path)}`, detail }
}

/** Paths may lead to what only the former schema had; the pointer is to something that was sent. */
function nearest(schema: JsonValue, path: string): JsonPointer {
  if (!isPointer(path)) return ''
  const tokens = path.split('/').slice(1)
  while (tokens.length > 0 && valueAt(schema, pointerOf(...tokens)) === undefined) tokens.pop()
  return pointerOf(...tokens)
}

/** Apicurio's whole reason for an Avro field that old data does not have and that has no default is the field's name. */
function sentence({ path, detail }: Incompatibility): string {
  const told = /^[A-Za-z_]\w*$/.test(detail) ? `the field "${detail}" is new and has no default` : detail
  return path === '' ? told : `${told} at ${path}`
}
