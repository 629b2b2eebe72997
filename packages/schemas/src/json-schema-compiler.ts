/** The validator with what the platform adds to it: patterns in linear time, bounded work, and nothing fetched from anywhere. */
import type { JsonObject } from '@millrace/core/json'
import {
  _,
  Ajv,
  type ErrorObject,
  type Format,
  type Code,
  type KeywordCxt,
  type Options,
  type ValidateFunction,
} from 'ajv'
import { Ajv2019 } from 'ajv/dist/2019.js'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { fullFormats } from 'ajv-formats/dist/formats.js'
import type { Dialect } from './json-schema-bounds.ts'
import { patternCompiler } from './linear-pattern.ts'
import { uniqueItems } from './unique-items.ts'
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
/** What a keyword costs for each member of the data that it looks at. */
const unitsPerMember: Readonly<Record<string, number>> = {
  additionalProperties: 1,
  patternProperties: 1,
  propertyNames: 2,
  unevaluatedProperties: 2,
}
const unitsPerContained = 12
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

/** What a reference leads to, with the URI that references within that are relative to. */
export type Resolved = { readonly schema: unknown; readonly base: string }
export type Resolver = {
  readonly uri: (base: string, reference: string) => string
  readonly find: (uri: string) => Resolved | undefined
}

/** Finds what a schema with an id and its references refer to, as what compiles them does: by the same validator, which checks nothing. */
export function resolverOf(
  dialect: Dialect,
  schema: JsonObject,
  references: ReadonlyMap<string, JsonObject>,
): Resolver {
  const ajv = validatorOf(dialect, options)
  for (const rule of Object.values(ajv.RULES.all)) {
    if (typeof rule === 'object' && 'code' in rule.definition) rule.definition.code = () => undefined
  }
  addReferences(ajv, schema, references)
  ajv.addSchema(schema)
  return {
    uri: (base, reference) => ajv.opts.uriResolver.resolve(base, reference),
    find: (uri) => {
      const found = ajv.getSchema(uri)
      return found && { schema: found.schema, base: found.schemaEnv.baseId }
    },
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
  for (const keyword of new Set([...Object.keys({ ...unitsPerEntry, ...unitsPerMember }), 'contains', 'format'])) {
    const rule = ajv.RULES.all[keyword]
    if (typeof rule !== 'object' || !('code' in rule.definition)) continue
    const { code } = rule.definition
    rule.definition.code = (context, ruleType) => {
      const counter = context.gen.scopeValue('obj', { ref: budget })
      for (const spending of spendingsOf(keyword, context)) context.gen.code(_`${counter}.${spending}`)
      code(context, ruleType)
    }
  }
}

function spendingsOf(keyword: string, { data, schema }: KeywordCxt): Code[] {
  const entries = unitsPerEntry[keyword]
  const members = unitsPerMember[keyword]
  if (keyword === 'format')
    return [_`spend(typeof ${data} == "string" ? ${unitsPerFormatCharacter} * ${data}.length : 1)`]
  if (keyword === 'contains') return [_`spend(Array.isArray(${data}) ? ${unitsPerContained} * ${data}.length : 1)`]
  return [
    ...(entries === undefined ? [] : [_`spend(${entries * (1 + sizeOf(schema))})`]),
    ...(members === undefined ? [] : [_`spendMembers(${data}, ${members})`]),
  ]
}

function sizeOf(keyword: unknown): number {
  return typeof keyword === 'object' && keyword !== null ? Object.keys(keyword).length : 0
}
