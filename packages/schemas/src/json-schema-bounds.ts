/** What a JSON Schema may be before anything compiles it: its dialect, its size, and nothing that changes how it would be read. */
import { isJsonObject, type JsonObject, type JsonValue, pointerOf } from '@millrace/core/json'

export type Dialect = 'draft-07' | '2019-09' | '2020-12'

const bytesMax = 256 * 1_024
const nestingMax = 64
/** Objects and lists, each of which may be a schema that is compiled: so many take some 100 ms. */
const partsMax = 1_000

const dialects: Readonly<Record<string, Dialect>> = {
  'http://json-schema.org/draft-07/schema': 'draft-07',
  'https://json-schema.org/draft-07/schema': 'draft-07',
  'https://json-schema.org/draft/2019-09/schema': '2019-09',
  'https://json-schema.org/draft/2020-12/schema': '2020-12',
}

/**
 * The dialect that a schema says it is written in: draft-07 where it says nothing.
 * @throws Error when it is one of others
 */
export function dialectOf({ $schema }: JsonObject): Dialect {
  if ($schema === undefined) return 'draft-07'
  const dialect = typeof $schema === 'string' ? dialects[$schema.replace(/#$/, '')] : undefined
  if (dialect) return dialect
  throw new Error(`"$schema" names ${JSON.stringify($schema)}: known are draft-07, 2019-09 and 2020-12`)
}

/**
 * Checks that a schema and what it refers to are of a size that can be compiled, together.
 * @throws Error naming the bound
 */
export function checkBounds(schemas: readonly JsonObject[]): void {
  const bytes = Buffer.byteLength(JSON.stringify(schemas))
  if (bytes > bytesMax) throw new Error(`it may have ${bytesMax} bytes with its references, this has ${bytes}`)
  const parts = schemas.reduce((sum, schema) => sum + countParts(schema, []), 0)
  if (parts > partsMax)
    throw new Error(`it may have ${partsMax} objects and lists with its references, this has ${parts}`)
}

function countParts(value: JsonValue, path: readonly string[]): number {
  if (typeof value !== 'object' || value === null) return 0
  if (path.length > nestingMax) throw new Error(`it is nested deeper than ${nestingMax} levels`)
  checkKeywords(value, path)
  return Object.entries(value).reduce((sum, [name, child]) => sum + countParts(child, [...path, name]), 1)
}

function checkKeywords(part: JsonValue, path: readonly string[]): void {
  if (!isJsonObject(part)) return
  // It would make the check a promise, which is never false; whatever is true enough would. A property may have the name.
  const isAsync = part['$async']
  if (isAsync !== undefined && isAsync !== false && !isJsonObject(isAsync))
    throw new Error(`${pointerOf(...path, '$async')} is not a keyword of JSON Schema`)
}
