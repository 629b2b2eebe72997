/** A JSON Schema with all that it refers to in one document: nothing is looked for elsewhere, as in validation. */
import { isJsonObject, type JsonObject } from '@millrace/core/json'
import type { SchemaSource } from './codec.ts'
import { parsedSchema } from './json-codec.ts'
import { parsedReferences } from './json-schema.ts'
import { dialectOf } from './json-schema-bounds.ts'
import { type Resolved, type Resolver, resolverOf } from './json-schema-compiler.ts'
import { withSubschemas } from './subschemas.ts'

/** What a schema without an id has for one while its references are followed. No name of a reference becomes it: names are relative, and longer. */
const ownId = 'millrace:/'
const referring = ['$ref', '$recursiveRef', '$dynamicRef'] as const
/** What has no meaning, or another, within a document. */
const leftOut = new Set<string>([
  ...referring,
  '$id',
  '$schema',
  '$anchor',
  '$dynamicAnchor',
  '$recursiveAnchor',
  'definitions',
  '$defs',
])

type Bundle = {
  /** Made with the first reference, since most schemas have none. */
  readonly resolver: () => Resolver
  readonly rootBase: string
  /** References by what they lead to. */
  readonly places: Map<JsonObject, string>
  readonly definitions: Map<string, JsonObject>
}

/**
 * The JSON Schema of an event's data, which refers to itself alone.
 * @throws Error when it is not a JSON Schema
 */
export function jsonShape({ schema, references }: SchemaSource): JsonObject {
  const parsed = parsedSchema(schema)
  const { $id, $schema } = parsed
  const id = typeof $id === 'string' ? $id.replace(/#.*$/s, '') : ''
  const root = { ...parsed, $id: id === '' ? ownId : id }
  let made: Resolver | undefined
  const bundle: Bundle = {
    resolver: () => (made ??= resolverOf(dialectOf(parsed), root, parsedReferences(references))),
    rootBase: root.$id,
    places: new Map([[root, '#']]),
    definitions: new Map(),
  }
  const shape = bundled(root, root.$id, bundle)
  return {
    ...($schema !== undefined && { $schema }),
    ...shape,
    ...(bundle.definitions.size > 0 && { definitions: Object.fromEntries(bundle.definitions) }),
  }
}

/** @param base the URI that references are relative to */
function bundled(schema: JsonObject, base: string, bundle: Bundle): JsonObject {
  const kept = Object.fromEntries(Object.entries(schema).filter(([keyword]) => !leftOut.has(keyword)))
  const shape = withSubschemas(kept, (part) => bundled(part, baseOf(part, base, bundle), bundle))
  return referring.reduce((made, keyword) => {
    const reference = schema[keyword]
    const found = typeof reference === 'string' && resolved(reference, base, bundle, keyword !== '$ref')
    // One that leads nowhere is where validation never looks, or the schema would have been refused.
    return found ? { ...made, ...referenceTo(reference, found, bundle) } : made
  }, shape)
}

function baseOf({ $id }: JsonObject, outer: string, { resolver }: Bundle): string {
  return typeof $id === 'string' ? resolver().uri(outer, $id) : outer
}

function resolved(
  reference: string,
  base: string,
  { resolver, rootBase }: Bundle,
  dynamic: boolean,
): Resolved | undefined {
  const { find, uri } = resolver()
  const lookUp = (from: string) =>
    find(uri(from, reference)) ??
    // The validator knows no anchor of a whole schema, which a dynamic reference may be to.
    (dynamic ? find(uri(from, '#')) : undefined)
  const found = lookUp(base)
  if (!found || !dynamic || !isAnchored(found.schema)) return found
  // The outermost schema that has the anchor takes the place of the others.
  const outermost = lookUp(rootBase)
  return outermost && isAnchored(outermost.schema) ? outermost : found
}

function isAnchored(schema: unknown): boolean {
  return isJsonObject(schema) && (schema['$recursiveAnchor'] === true || typeof schema['$dynamicAnchor'] === 'string')
}

function referenceTo(reference: string, { schema, base }: Resolved, bundle: Bundle): JsonObject {
  if (!isJsonObject(schema)) return schema === false ? { not: {} } : {}
  const known = bundle.places.get(schema)
  if (known !== undefined) return { $ref: known }
  const name = unusedName(reference, bundle.definitions)
  const place = `#/definitions/${name}`
  bundle.places.set(schema, place)
  bundle.definitions.set(name, {}) // it may refer to itself
  bundle.definitions.set(name, bundled(schema, base, bundle))
  return { $ref: place }
}

/** After the last part of a reference: `address.json`, or `size` of `#/definitions/size`. */
function unusedName(reference: string, taken: ReadonlyMap<string, unknown>): string {
  const last = reference.split(/[/#]/).findLast((part) => part !== '') ?? 'schema'
  const name = last.replaceAll(/[^\w.-]/g, '_')
  let unused = name
  for (let count = 2; taken.has(unused); count++) unused = `${name}_${count}`
  return unused
}
