import type { Violation } from '@millrace/core/cloud-event'
import { MillraceError } from '@millrace/core/errors'
import { isJsonObject, type JsonObject, type JsonValue } from '@millrace/core/json'
import { Ajv, type ErrorObject } from 'ajv'
import { jsonViolation, parseExactJson } from './exact-json.ts'
import { checkBounds, type Dialect, dialectOf } from './json-schema-bounds.ts'
import { compilerOf, schemaErrors } from './json-schema-compiler.ts'
import { violationsOf } from './json-violations.ts'
import { TooMuchWork, WorkBudget } from './work-budget.ts'

export { violationsMax } from './json-violations.ts'

/** Checks data against one schema: what is wrong with it, or an empty list. Pointers are relative to the data. */
export type JsonValidator = (data: JsonValue) => readonly Violation[]

/** What a schema refers to, under the name by which it does so: a URI, relative to the schema's own where it has one. */
export type JsonSchemaReference = { readonly name: string; readonly schema: string }

/** Data with more values than this is told its first violation only: to look for all of them takes time and memory. */
const exhaustiveValuesMax = 10_000
const unitsMax = 4_000_000
const exhaustiveUnitsMax = 500_000
/** What a schema without end in itself would never come back from. */
const probes: readonly JsonValue[] = [null, true, 0, '', [], [{}], {}, { a: {} }]
const endless = 'applies to the same value without end'
/** Names that every object of the language has, so that it must be asked whether they are its own. */
const inheritedName =
  /"(?:__\w+__|constructor|hasOwnProperty|isPrototypeOf|propertyIsEnumerable|toLocaleString|toString|valueOf)"/

/**
 * Compiles a JSON Schema: draft-07, 2019-09 or 2020-12 by its `$schema`, draft-07 where it has none. Formats that it names are asserted,
 * unknown ones and unknown keywords mean nothing. References lead into the schema itself or to `references`, and nowhere else.
 * @throws MillraceError 'registry.refused' when it is not a schema, refers to one that is not there, or could hold up everybody else
 */
export function compileJsonSchema(schema: JsonObject, references: readonly JsonSchemaReference[] = []): JsonValidator {
  try {
    return compiled(schema, references)
  } catch (cause) {
    throw refused(cause)
  }
}

function compiled(schema: JsonObject, named: readonly JsonSchemaReference[]): JsonValidator {
  const dialect = dialectOf(schema)
  const references = parsedReferences(named)
  const all = [schema, ...references.values()]
  checkBounds(all)
  for (const each of all) checkDialect(dialect, each)
  const ownProperties = all.some((each) => inheritedName.test(JSON.stringify(each)))
  const compile = (units: number, allErrors: boolean): Check => {
    const budget = new WorkBudget(units)
    const validate = compilerOf({ dialect, budget, allErrors, ownProperties })(schema, references)
    return (data) => {
      budget.renew()
      const fits: unknown = validate(data)
      return fits === true ? [] : (validate.errors ?? [])
    }
  }
  const first = compile(unitsMax, false)
  for (const probe of probes) first(probe)
  // Most schemas never see invalid data, so what finds all violations is made when it is needed.
  let exhaustive: Check | undefined
  return (data) => {
    const found = violationsIn(first, data)
    const hasOne = found.violations.length > 0 && !found.gaveUp
    if (!hasOne || countValues(data, exhaustiveValuesMax) >= exhaustiveValuesMax) return found.violations
    exhaustive ??= compile(exhaustiveUnitsMax, true)
    const all = violationsIn(exhaustive, data)
    return all.gaveUp ? found.violations : all.violations
  }
}

type Check = (data: JsonValue) => readonly ErrorObject[]
type Found = { readonly violations: readonly Violation[]; readonly gaveUp: boolean }

function violationsIn(check: Check, data: JsonValue): Found {
  try {
    return { violations: violationsOf(check(data), data), gaveUp: false }
  } catch (error) {
    if (error instanceof TooMuchWork) return { violations: [{ pointer: '', detail: error.message }], gaveUp: true }
    // The stack's end: the schema applies to the same data without end.
    if (error instanceof RangeError) return { violations: [{ pointer: '', detail: endless }], gaveUp: true }
    throw error
  }
}

/**
 * What a schema refers to, by its name.
 * @throws Error when one is not a JSON Schema
 */
export function parsedReferences(named: readonly JsonSchemaReference[]): ReadonlyMap<string, JsonObject> {
  return new Map(named.map((reference) => [reference.name, parsedReference(reference)]))
}

function parsedReference({ name, schema }: JsonSchemaReference): JsonObject {
  const parsed = parseExactJson(Buffer.from(schema))
  const value = parsed.ok && !jsonViolation(parsed.value) ? parsed.value : undefined
  if (isJsonObject(value)) return value
  throw new Error(`its reference "${name}" is not a JSON Schema`)
}

function checkDialect(dialect: Dialect, schema: JsonObject): void {
  if (schema['$schema'] !== undefined && dialectOf(schema) !== dialect) {
    throw new Error(`it is written in ${dialect} and refers to a schema in ${dialectOf(schema)}`)
  }
  const [error] = violationsOf(schemaErrors(dialect, schema), schema)
  if (error) throw new Error(`${error.pointer || 'the schema'} ${error.detail} (${dialect})`)
}

function refused(cause: unknown): MillraceError {
  const detail = `this JSON Schema cannot be used: ${reasonOf(cause)}`
  return new MillraceError('registry.refused', detail, { cause })
}

function reasonOf(cause: unknown): string {
  if (cause instanceof Ajv.MissingRefError) {
    return `it refers to ${cause.missingRef}, which neither it nor its references contain; nothing is fetched from elsewhere`
  }
  if (cause instanceof TooMuchWork) return 'it takes too much work for the smallest of values'
  if (cause instanceof RangeError) return `it ${endless}`
  return cause instanceof Error ? cause.message : String(cause)
}

/** Counts the values in a document, but no further than `limit`. */
function countValues(document: JsonValue, limit: number): number {
  const left: JsonValue[] = [document]
  let count = 0
  for (let value = left.pop(); value !== undefined && count < limit; value = left.pop()) {
    count++
    if (typeof value !== 'object' || value === null) continue
    // To list the values of an object takes longer than its names.
    const isLarge = (Array.isArray(value) ? value : Object.keys(value)).length > limit
    if (isLarge || left.length > limit) return limit
    for (const child of Object.values(value)) left.push(child)
  }
  return count
}
