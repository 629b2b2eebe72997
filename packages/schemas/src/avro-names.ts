/** The names in an Avro schema, by the specification's rules and a few of our own. */
import { MillraceError } from '@millrace/core/errors'
import type { JsonValue } from '@millrace/core/json'

/** A full name, and the namespace for what is inside. */
export type Scope = { readonly name: string; readonly namespace: string }

const plain = /^[A-Za-z_][A-Za-z0-9_]*$/
const qualified = /^[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*$/
const nameLengthMax = 256
const symbolsMax = 10_000
const primitives = new Set(['null', 'boolean', 'int', 'long', 'float', 'double', 'string', 'bytes'])

/**
 * The full name of a type, or a field's name.
 * @throws MillraceError 'registry.refused'
 * @see https://avro.apache.org/docs/1.12.0/specification/#names
 */
export function fullNameOf(
  what: string,
  name: JsonValue | undefined,
  namespace: JsonValue | undefined,
  form: 'plain' | 'qualified',
): Scope {
  const own = requireName(what, name, form === 'plain' ? plain : qualified)
  if (form === 'plain') return { name: own, namespace: '' }
  const dot = own.lastIndexOf('.')
  if (dot >= 0) return { name: own, namespace: own.slice(0, dot) }
  if (primitives.has(own)) refuse(`${what} is called "${own}" like a primitive type: rename it`)
  if (namespace === undefined || namespace === '') return { name: own, namespace: '' }
  const outer = requireName(`the namespace of ${own}`, namespace, qualified)
  return { name: `${outer}.${own}`, namespace: outer }
}

/** The aliases of a type or a field, qualified like its name. */
export function aliasesOf(name: string, aliases: JsonValue | undefined, namespace: string): readonly string[] {
  if (aliases === undefined) return []
  if (!Array.isArray(aliases)) return refuse(`the aliases of ${name} are not a list of names`)
  const names: readonly JsonValue[] = aliases
  return names.map((alias) => {
    const text = requireName(`an alias of ${name}`, alias, qualified)
    return namespace === '' || text.includes('.') ? text : `${namespace}.${text}`
  })
}

/** The symbols of an enum, each once. */
export function symbolsOf(name: string, symbols: JsonValue | undefined): readonly string[] {
  if (!Array.isArray(symbols) || symbols.length === 0 || symbols.length > symbolsMax) {
    return refuse(`the enum ${name} must have a list of "symbols", at least 1 and at most ${symbolsMax}`)
  }
  const values: readonly JsonValue[] = symbols
  const texts = values.map((symbol) => requireName(`a symbol of ${name}`, symbol, plain))
  if (new Set(texts).size < texts.length) refuse(`the enum ${name} has a symbol twice: take one away`)
  return texts
}

/** A name without its namespace. */
export function unqualified(name: string): string {
  return name.slice(name.lastIndexOf('.') + 1)
}

function requireName(what: string, name: JsonValue | undefined, rule: RegExp): string {
  if (typeof name !== 'string' || name.length > nameLengthMax || !rule.test(name)) {
    return refuse(
      `${what} needs a name of letters, digits and underscores, no digit first, at most ${nameLengthMax} characters`,
    )
  }
  // As a key of a JavaScript object it would replace the prototype of whatever a consumer puts the data into.
  if (name.split('.').includes('__proto__')) refuse(`${what} is called "__proto__": rename it`)
  return name
}

function refuse(detail: string): never {
  throw new MillraceError('registry.refused', `this Avro schema cannot be used: ${detail}`)
}
