/** What the Schema Registry's answers say, checked: it is another program, of a version that we do not choose. */
import { MillraceError } from '@millrace/core/errors'
import type { SchemaFormat, SchemaReference } from '@millrace/core/event-type'
import { isJsonObject, type JsonObject } from '@millrace/core/json'

export type SchemaType = 'JSON' | 'AVRO' | 'PROTOBUF'

const schemaTypes: Readonly<Record<SchemaFormat, SchemaType>> = { json: 'JSON', avro: 'AVRO', protobuf: 'PROTOBUF' }

/** What the registry calls a format. */
export function schemaTypeOf(format: SchemaFormat): SchemaType {
  return schemaTypes[format]
}

/** A schema as it is kept under its id. */
export type KeptSchema = {
  readonly type: SchemaType
  readonly schema: string
  readonly references: readonly SchemaReference[]
}

/** A schema as a version of a subject. */
export type RegisteredSchema = KeptSchema & { readonly id: number; readonly version: number }

/** Where a schema breaks with an earlier version: a path within the schema, as far as the registry tells it, and what is wrong there. */
export type Incompatibility = { readonly path: string; readonly detail: string }

/** The subject's compatibility forbids this schema. */
export class IncompatibleSchemaError extends MillraceError {
  readonly incompatibilities: readonly Incompatibility[]

  constructor(asked: string, incompatibilities: readonly Incompatibility[]) {
    const told = incompatibilities.map(({ path, detail }) => `${detail} at ${path === '' ? 'its root' : path}`)
    super('registry.incompatible', `the schema registry refused ${asked}: ${told.join('; ')}`)
    this.incompatibilities = incompatibilities
  }
}

/** `undefined` where there is none. `type` is what was asked for: a look-up's answer leaves it out. */
export function registeredSchema(answer: unknown, type?: SchemaType): RegisteredSchema | undefined {
  if (!isJsonObject(answer)) return undefined
  const { id, version } = answer
  if (typeof id !== 'number' || typeof version !== 'number') throw malformed('a version of a subject')
  return { id, version, ...keptParts(answer), ...(type && { type }) }
}

export function keptSchema(answer: unknown): KeptSchema | undefined {
  return isJsonObject(answer) ? keptParts(answer) : undefined
}

function keptParts(answer: JsonObject): KeptSchema {
  return { type: typeOf(answer), schema: textOf(answer, 'schema'), references: referencesOf(answer) }
}

/** The registry leaves the type out where it is Avro. */
function typeOf(answer: JsonObject): SchemaType {
  const type = answer['schemaType']
  return type === 'JSON' || type === 'PROTOBUF' ? type : 'AVRO'
}

function referencesOf(answer: JsonObject): SchemaReference[] {
  const references = answer['references'] ?? []
  if (!Array.isArray(references)) throw malformed('a schema with references')
  return references.map((reference: unknown) => {
    if (!isJsonObject(reference) || typeof reference['version'] !== 'number')
      throw malformed('a schema with references')
    return { name: textOf(reference, 'name'), subject: textOf(reference, 'subject'), version: reference['version'] }
  })
}

export function listOfNames(answer: unknown, what: string): string[] {
  if (!Array.isArray(answer)) throw malformed(what)
  return answer.map(String)
}

export function textOf(answer: JsonObject, name: string): string {
  const value = answer[name]
  if (typeof value !== 'string') throw malformed(`"${name}"`)
  return value
}

export function malformed(what: string): MillraceError {
  return new MillraceError(
    'registry.refused',
    `the schema registry's answer is not ${what}: is this its Confluent-compatible API?`,
  )
}

const incompatibilitiesMax = 50

/**
 * The reasons in a refusal as Apicurio writes it: `… list of diff types: [what at /path, what, before: a at /path]`. Another registry's
 * sentence is one reason for the whole schema.
 */
export function incompatibilitiesIn(message: string): Incompatibility[] {
  const [, list] = message.split('list of diff types: [', 2)
  if (list === undefined) return [{ path: '', detail: message }]
  const [first = '', ...rest] = list.replace(/\]\s*$/, '').split(' at /', incompatibilitiesMax + 1)
  let detail = first
  return rest.map((text) => {
    const end = text.indexOf(', ')
    const found = { path: `/${end === -1 ? text : text.slice(0, end)}`, detail: detail.trim() }
    detail = end === -1 ? '' : text.slice(end + 2)
    return found
  })
}
