/**
 * Reads `.proto` files. Their authors are strangers: what they write is bounded before it is parsed, and nothing is ever generated from it
 * (no code, no file, no request): protobufjs parses and resolves names, the rest is data.
 */
import { MillraceError } from '@millrace/core/errors'
import { common, Namespace, type NamespaceBase, parse, Root, tokenize } from 'protobufjs'
import { wellKnownFiles } from './protobuf-well-known.ts'

/** The text that a schema and its imports may have together. */
const textLengthMax = 256 * 1_024
/** The parser takes time by the square of a message's fields, and by that of fields and reserved numbers. */
const countsMax = {
  'fields, values of enums and options': 2_000,
  'messages, enums and other blocks': 2_000,
  'listed things': 4_000,
  tokens: 40_000,
}
const nestingMax = 32
const tokenLengthMax = 512
const importsMax = 64

export type ProtobufFile = {
  readonly root: Root
  /** The namespace of the file's package: its own messages come first in it. */
  readonly scope: NamespaceBase
  /** How many of what is in there is of the file itself, and not of one that it imports. */
  readonly ownCount: number
}

/** Why a schema is not used. */
export function refused(reason: string, cause?: unknown): MillraceError {
  const sentence = `this is not a Protobuf schema that can be used: ${reason.slice(0, 500)}`
  return new MillraceError('registry.refused', sentence, cause === undefined ? {} : { cause })
}

/**
 * Parses a file with all that it imports, from `references` by the names under which they are imported.
 * @throws MillraceError 'registry.refused'
 */
export function parseProtobuf(
  text: string,
  references: readonly { readonly name: string; readonly schema: string }[],
): ProtobufFile {
  const texts = new Map(references.map(({ name, schema }) => [name, schema]))
  const root = new Root()
  const main = parseInto(root, text, undefined)
  const scope = main.package === undefined ? root : namespaceOf(root, main.package)
  const ownCount = scope.nestedArray.length
  addImports(root, main.imports, texts, text.length)
  resolve(root)
  return { root, scope, ownCount }
}

type Parsed = { readonly package: string | undefined; readonly imports: readonly string[] }

function parseInto(root: Root, text: string, file: string | undefined): Parsed {
  const where = file === undefined ? '' : ` in ${JSON.stringify(file)}`
  try {
    admit(text)
    const parsed = parse(text, root, { keepCase: true })
    if (/^google\.protobuf(\.|$)/.test(parsed.package ?? '')) throw new Error('its package is google.protobuf')
    return { package: parsed.package, imports: [...(parsed.imports ?? []), ...(parsed.weakImports ?? [])] }
  } catch (cause) {
    throw refused(`${reasonOf(cause)}${where}`, cause)
  }
}

function reasonOf(cause: unknown): string {
  if (cause instanceof RangeError) return 'it is nested too deep'
  return cause instanceof Error ? cause.message : String(cause)
}

function namespaceOf(root: Root, name: string): NamespaceBase {
  const scope = root.lookup(`.${name}`)
  if (scope instanceof Namespace) return scope
  throw refused(`the package ${name} is also the name of something else`)
}

/** Adds what is imported, and what that imports, each once. */
function addImports(
  root: Root,
  names: readonly string[],
  texts: ReadonlyMap<string, string>,
  lengthSoFar: number,
): void {
  const left = [...names]
  const seen = new Set<string>()
  let length = lengthSoFar
  for (let name = left.pop(); name !== undefined; name = left.pop()) {
    if (seen.has(name)) continue
    seen.add(name)
    if (seen.size > importsMax) throw refused(`it imports more than ${importsMax} files`)
    if (wellKnownFiles.has(name)) addWellKnown(root, name)
    else {
      const text = texts.get(name)
      if (text === undefined) throw refused(`it imports ${JSON.stringify(name)}, which is not among its references`)
      length += text.length
      if (length > textLengthMax) throw tooLong()
      left.push(...parseInto(root, text, name).imports)
    }
  }
}

function addWellKnown(root: Root, name: string): void {
  try {
    root.addJSON(common.get(name)?.nested ?? {})
  } catch (cause) {
    throw refused(`it defines for itself what ${name} defines`, cause)
  }
}

function resolve(root: Root): void {
  try {
    root.resolveAll()
  } catch (cause) {
    throw refused(reasonOf(cause), cause)
  }
}

function tooLong(): MillraceError {
  return refused(`it is longer than ${textLengthMax} characters, with what it imports`)
}

/** Refuses, token by token, what would take the parser long, and what it would take for something else than it is. */
function admit(text: string): void {
  if (text.length > textLengthMax) throw new Error(`it is longer than ${textLengthMax} characters`)
  // The parser leaves out without a word what has this name.
  if (text.includes('__proto__')) throw new Error('it names something __proto__')
  const tokens = tokenize(text, false)
  const counts: Counts = {
    'fields, values of enums and options': 0,
    'messages, enums and other blocks': 0,
    'listed things': 0,
    tokens: 0,
  }
  const start: string[] = []
  let nesting = 0
  let before = ''
  for (let token = tokens.next(); token !== null; token = tokens.next()) {
    if (start.length < 6) start.push(token)
    else if (nesting === 0 && (before === ';' || before === '}')) refuseStatement(token, tokens.line)
    if (token.length > tokenLengthMax)
      throw new Error(`it has a word of more than ${tokenLengthMax} characters (line ${tokens.line})`)
    count(counts, token, tokens.line)
    if (token === '{' && ++nesting > nestingMax)
      throw new Error(`it is nested more than ${nestingMax} deep (line ${tokens.line})`)
    if (token === '}') nesting--
    before = token
  }
  if (!/^syntax = (["']) proto3 \1 ;$/.test(start.join(' '))) throw new Error('it must start with syntax = "proto3";')
}

function refuseStatement(token: string, line: number): void {
  if (token === 'syntax' || token === 'edition') throw new Error(`it says its syntax once more (line ${line})`)
  if (token === 'extend') throw new Error(`it extends other messages (line ${line})`)
}

type Counts = Record<keyof typeof countsMax, number>

const counted = new Map<string, keyof typeof countsMax>([
  ['=', 'fields, values of enums and options'],
  ['{', 'messages, enums and other blocks'],
  [',', 'listed things'],
  ['reserved', 'listed things'],
])

function count(counts: Counts, token: string, line: number): void {
  for (const what of [counted.get(token), 'tokens'] as const) {
    if (what !== undefined && ++counts[what] > countsMax[what])
      throw new Error(`it has more than ${countsMax[what]} ${what} (line ${line})`)
  }
}
