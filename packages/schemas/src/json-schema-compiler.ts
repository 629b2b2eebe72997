/** The validator with what the platform adds to it: patterns in linear time, bounded work, and nothing fetched from anywhere. */
import { isJsonObject, type JsonObject, type JsonValue } from '@millrace/core/json'
import {
  _,
  Ajv,
  type ErrorObject,
  type Format,
  type FuncKeywordDefinition,
  type Options,
  type SchemaValidateFunction,
  type ValidateFunction,
} from 'ajv'
import { Ajv2019 } from 'ajv/dist/2019.js'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { fullFormats } from 'ajv-formats/dist/formats.js'
import type { Dialect } from './json-schema-bounds.ts'
import { patternCompiler } from './linear-pattern.ts'
import type { WorkBudget } from './work-budget.ts'

export type CompilerOptions = {
  readonly dialect: Dialect
  readonly budget: WorkBudget
  readonly allErrors: boolean
  /** Asks of every property whether it is the data's own. */
  readonly ownProperties: boolean
}

type Compile = (schema: JsonObject, references: ReadonlyMap<string, JsonObject>) => ValidateFunction

const options: Options = {
  // Schemas of others carry keywords that we do not know (`javaType`, `connect.index`).
  strict: false,
  removeAdditional: false,
  useDefaults: false,
  coerceTypes: false,
  logger: false,
  // A schema that is referred to often would be compiled as often.
  inlineRefs: false,
  validateSchema: false,
}

// `url` is no format of JSON Schema, and its check takes the square of the text's length.
const formats: Record<string, Format> = { ...fullFormats, url: true }

/** The optimizer takes the square of the schema's length. */
const unoptimized = { optimize: false }

/** What a keyword costs for each of its entries: those apply to the same value, or to as much of it as the schema is long, over and over. */
const unitsPerEntry: Readonly<Record<string, number>> = {
  $ref: 20,
  $dynamicRef: 20,
  $recursiveRef: 20,
  allOf: 20,
  anyOf: 20,
  oneOf: 20,
  dependentSchemas: 20,
  dependencies: 20,
  patternProperties: 20,
  properties: 4,
  required: 4,
  enum: 4,
}
const unitsPerItem = 16
const unitsPerPart = 400
const unitsPerFormatCharacter = 16

/** What compiles schemas of a dialect, in a fresh registry each, so that no schema sees another's ids. */
export function compilerOf({ dialect, budget, allErrors, ownProperties }: CompilerOptions): Compile {
  return (schema, references) => {
    const regExp = Object.assign(patternCompiler(budget), { code: 'patternCompiler' })
    const ajv = validatorOf(dialect, {
      ...options,
      allErrors,
      ownProperties,
      formats,
      code: { regExp, ...unoptimized },
    })
    ajv.removeKeyword('uniqueItems')
    ajv.addKeyword(uniqueItems(budget))
    countWork(ajv, budget)
    addReferences(ajv, schema, references)
    return ajv.compile(schema)
  }
}

/** A name is relative to the id of whichever schema refers by it. */
function addReferences(ajv: Validator, schema: JsonObject, references: ReadonlyMap<string, JsonObject>): void {
  const bases = [schema, ...references.values()].flatMap(({ $id }) => (typeof $id === 'string' ? [$id] : []))
  for (const [name, reference] of references) {
    for (const base of [...bases, '']) {
      const uri = ajv.opts.uriResolver.resolve(base, name)
      if (!(uri in ajv.schemas) && !(uri in ajv.refs)) ajv.addSchema(reference, uri)
    }
  }
}

type Validator = Ajv | Ajv2019 | Ajv2020

const checkers = new Map<Dialect, Validator>()

/** What the dialect's own schema has against a schema. */
export function schemaErrors(dialect: Dialect, schema: JsonObject): readonly ErrorObject[] {
  const checker = checkers.get(dialect) ?? validatorOf(dialect, { ...options, formats })
  checkers.set(dialect, checker)
  return checker.validateSchema(schema) === true ? [] : (checker.errors ?? [])
}

function validatorOf(dialect: Dialect, ajvOptions: Options): Validator {
  switch (dialect) {
    case 'draft-07':
      return new Ajv(ajvOptions)
    case '2019-09':
      return new Ajv2019(ajvOptions)
    case '2020-12':
      return new Ajv2020(ajvOptions)
  }
}

function countWork(ajv: Validator, budget: WorkBudget): void {
  for (const [keyword, units] of Object.entries({ ...unitsPerEntry, format: 0 })) {
    const rule = ajv.RULES.all[keyword]
    if (typeof rule !== 'object' || !('code' in rule.definition)) continue
    const { code } = rule.definition
    rule.definition.code = (context, ruleType) => {
      const counter = context.gen.scopeValue('obj', { ref: budget })
      const entries = _`${units * (1 + sizeOf(context.schema))}`
      const text = _`typeof ${context.data} == "string" ? ${unitsPerFormatCharacter} * ${context.data}.length : 1`
      context.gen.code(_`${counter}.spend(${keyword === 'format' ? text : entries})`)
      code(context, ruleType)
    }
  }
}

function sizeOf(keyword: unknown): number {
  return typeof keyword === 'object' && keyword !== null ? Object.keys(keyword).length : 0
}

/** Items are compared by their canonical text: the validator's own comparison of each with each takes the square of their number. */
function uniqueItems(budget: WorkBudget): FuncKeywordDefinition {
  const validate: SchemaValidateFunction = (wanted: boolean, items: readonly JsonValue[]) => {
    if (!wanted) return true
    const seen = new Map<string, number>()
    for (const [index, item] of items.entries()) {
      const text = canonical(item)
      budget.spend(text.length + (typeof item === 'object' ? unitsPerPart : unitsPerItem))
      const first = seen.get(text)
      if (first !== undefined) {
        validate.errors = [{ keyword: 'uniqueItems', params: { i: index, j: first } }]
        return false
      }
      seen.set(text, index)
    }
    return true
  }
  return { keyword: 'uniqueItems', type: 'array', schemaType: 'boolean', errors: true, validate }
}

function canonical(value: JsonValue): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`
  if (!isJsonObject(value)) return JSON.stringify(value)
  const names = Object.keys(value).sort()
  return `{${names.map((name) => `${JSON.stringify(name)}:${canonical(value[name] ?? null)}`).join()}}`
}
