/** From the validator's errors to sentences and pointers that a producer can act on. */
import type { Violation } from '@millrace/core/cloud-event'
import { isJsonObject, isPointer, type JsonPointer, type JsonValue, pointerOf, valueAt } from '@millrace/core/json'
import type { ErrorObject } from 'ajv'

/** How many violations an answer names at most. */
export const violationsMax = 50
const shownLengthMax = 100
const listedMax = 20

type Tell = (params: Readonly<Record<string, unknown>>) => string

const tells: Readonly<Record<string, Tell>> = {
  required: () => 'is required',
  dependentRequired: ({ property }) => `is required where ${shown(property)} is given`,
  dependencies: ({ property }) => `is required where ${shown(property)} is given`,
  additionalProperties: () => 'is not a property that the schema allows',
  unevaluatedProperties: () => 'is not a property that the schema allows',
  additionalItems: ({ limit }) => `may have ${String(limit)} items`,
  unevaluatedItems: ({ len }) => `may have ${String(len)} items`,
  items: ({ limit }) => `may have ${String(limit)} items`,
  enum: ({ allowedValues }) => `must be one of ${listed(allowedValues)}`,
  const: ({ allowedValue }) => `must be ${shown(allowedValue)}`,
  pattern: ({ pattern }) => `must match the pattern ${shortened(String(pattern))}`,
  format: ({ format }) => `must be of the format ${shown(format)}`,
  'false schema': () => 'is not allowed here',
  not: () => 'must not be what the schema excludes by "not"',
  oneOf: ({ passingSchemas }) =>
    Array.isArray(passingSchemas)
      ? `must match one alternative of "oneOf" alone, but matches those at ${passingSchemas.join(' and ')}`
      : 'must match one alternative of "oneOf", but matches none',
  anyOf: () => 'must match an alternative of "anyOf", but matches none',
  uniqueItems: ({ i, j }) => `must have no item twice, but those at ${String(j)} and ${String(i)} are the same`,
  propertyNames: ({ propertyName }) => `has the property name ${shown(propertyName)}, which the schema does not allow`,
}

/** What is wrong with the data, no more than `violationsMax` of it, each once. */
export function violationsOf(errors: readonly ErrorObject[], data: JsonValue): Violation[] {
  const found = new Map<string, Violation>()
  for (const error of errors) {
    const violation = { pointer: pointerOfError(error), detail: detailOf(error, data) }
    found.set(JSON.stringify(violation), violation)
    if (found.size === violationsMax) break
  }
  return [...found.values()]
}

function detailOf({ keyword, params, message, instancePath, propertyName }: ErrorObject, data: JsonValue): string {
  const about = propertyName === undefined ? '' : `its property name ${shown(propertyName)} `
  if (keyword === 'type' && isJsonObject(params)) {
    const given = isPointer(instancePath) ? valueAt(data, instancePath) : undefined
    return `${about}must be ${typesOf(params['type'])}, not ${propertyName === undefined ? typeOf(given) : 'a string'}`
  }
  const tell = tells[keyword]
  return about + (tell && isJsonObject(params) ? tell(params) : (message ?? 'is not valid'))
}

function typesOf(types: unknown): string {
  return (Array.isArray(types) ? types : String(types).split(',')).map(String).join(' or ')
}

function typeOf(value: JsonValue | undefined): string {
  if (value === null || value === undefined) return 'null'
  if (Array.isArray(value)) return 'array'
  return typeof value
}

function listed(values: unknown): string {
  if (!Array.isArray(values)) return shown(values)
  const more = values.length > listedMax ? ` and ${values.length - listedMax} more` : ''
  return values.slice(0, listedMax).map(shown).join(', ') + more
}

function shown(value: unknown): string {
  return shortened(JSON.stringify(value))
}

function shortened(text: string): string {
  return text.length > shownLengthMax ? `${text.slice(0, shownLengthMax)}…` : text
}

/** Where it is wrong: a property that is missing or one too many is named itself, not the object around it. */
function pointerOfError({ instancePath, params }: ErrorObject): JsonPointer {
  const property = propertyOf(params)
  const pointer = property === undefined ? instancePath : instancePath + pointerOf(property)
  return isPointer(pointer) ? pointer : ''
}

function propertyOf(params: unknown): string | undefined {
  if (!isJsonObject(params)) return undefined
  for (const name of ['missingProperty', 'additionalProperty', 'unevaluatedProperty']) {
    const property = params[name]
    if (typeof property === 'string') return property
  }
  return undefined
}
