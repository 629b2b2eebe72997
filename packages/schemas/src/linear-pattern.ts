/**
 * Regular expressions of others, in linear time. What is plainly linear runs on the engine of the language; all else on RE2, which knows
 * no backtracking, and so neither look-around nor back-references.
 */
import { RE2JS } from 're2js'
import type { WorkBudget } from './work-budget.ts'

export type Pattern = { readonly test: (text: string) => boolean; readonly toString: () => string }

const patternLengthMax = 2_000
const programSizeMax = 1_000
/** What all patterns of a schema together may take to compile, in steps of their programs: some 50 ms. */
const compileUnitsMax = 10_000
const unitsPerProgram = 30
const unitsPerRepetition = 20
/** What a test costs before its first character. */
const unitsPerTest = 16

/** ECMAScript's classes, where RE2's know ASCII alone. */
const space = String.raw`\t\n\v\f\r \x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000}\x{feff}`
const classes: Readonly<Record<string, string>> = {
  '.': String.raw`[^\n\r\x{2028}\x{2029}]`,
  '\\s': `[${space}]`,
  '\\S': `[^${space}]`,
}

/** One character or class, with what repeats it. No groups, no alternatives. */
const atomPattern =
  /(\\[pP]\{[^}]*\}|\\u\{[^}]*\}|\\u[0-9a-fA-F]{4}|\\x[0-9a-fA-F]{2}|\\[^bB0-9ckpPux]|\[(?:\\.|[^\\\]])*\]|[^\\[\](){}|?*+^$])(\?|\*|\+|\{\d+(?:,\d*)?\})?/uy
const choicesMax = 64
const repetitionsMax = 6
const samples = [...Array(128).keys()]
  .map((code) => String.fromCharCode(code))
  .concat('é', '\u00A0', '\u2028', '\u3000', '\uFEFF', '\u{1F600}')

type Atom = { readonly source: string; readonly min: number; readonly max: number }

/** What compiles the patterns of one schema, as ECMA-262 has them; it throws an Error that says why one cannot be used. */
export function patternCompiler(budget: WorkBudget): (source: string) => Pattern {
  let left = compileUnitsMax
  const spend = (units: number) => {
    left -= units
    if (left < 0) throw new Error('its patterns together are too large')
  }
  return (source) => {
    if (source.length > patternLengthMax) throw new Error(`a pattern may have ${patternLengthMax} characters`)
    spend(source.length)
    const native = nativePattern(source)
    const atoms = atomsOf(source)
    spend(unitsPerRepetition * (atoms ?? []).filter(isRepetition).length)
    if (atoms && isPlainlyLinear(atoms, source.startsWith('^'))) {
      return counted(source, budget, 1, (text) => native.test(text))
    }
    const linear = linearPattern(source)
    const size = linear.programSize()
    if (size > programSizeMax) throw new Error(`the pattern ${source} is too large: its repetitions make ${size} steps`)
    spend(unitsPerProgram + size)
    return counted(source, budget, size, (text) => linear.test(text))
  }
}

function counted(source: string, budget: WorkBudget, units: number, test: (text: string) => boolean): Pattern {
  return {
    test: (text) => {
      budget.spend(unitsPerTest + text.length * units)
      return test(text)
    },
    toString: () => source,
  }
}

function nativePattern(source: string): RegExp {
  try {
    return new RegExp(source, 'u')
  } catch {
    // Many escape more than Unicode mode lets them.
    return new RegExp(source)
  }
}

function linearPattern(source: string): RE2JS {
  try {
    return RE2JS.compile(RE2JS.translateRegExp(withClasses(source)))
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new Error(`the pattern ${source} cannot be matched in linear time (${reason})`, { cause })
  }
}

function withClasses(source: string): string {
  return source.replace(/\[(?:\\.|[^\\\]])*\]|\\.|\./gsu, (token) =>
    token.startsWith('[') ? token.replaceAll('\\s', space) : (classes[token] ?? token),
  )
}

/** Whether backtracking has nothing to choose from, or so little that it does not matter. */
function isPlainlyLinear(atoms: readonly Atom[], anchored: boolean): boolean {
  let choices = 1
  for (const [index, atom] of atoms.entries()) {
    if (!isRepetition(atom)) continue
    // From wherever it may begin, a repetition would run on: the square of the length.
    if (!anchored && atom.max > choicesMax) return false
    if (!isToldApart(atom, atoms.slice(index + 1))) choices *= atom.max - atom.min + 1
    if (choices > choicesMax) return false
  }
  return anchored || atoms.reduce((sum, { min }) => sum + min, 0) <= choicesMax
}

function isRepetition({ min, max }: Atom): boolean {
  return min !== max
}

/** The atoms that a pattern consists of between its anchors; `undefined` when it has anything else, or too much to look through. */
function atomsOf(source: string): Atom[] | undefined {
  const body = source.replace(/^\^/, '').replace(/(?<!\\)\$$/, '')
  const atoms: Atom[] = []
  atomPattern.lastIndex = 0
  while (atomPattern.lastIndex < body.length) {
    const [, atom = '', quantifier = ''] = atomPattern.exec(body) ?? []
    if (atom === '') return undefined
    atoms.push({ source: atom, ...timesOf(quantifier) })
  }
  return atoms.filter(isRepetition).length > repetitionsMax ? undefined : atoms
}

function timesOf(quantifier: string): { min: number; max: number } {
  if (quantifier === '') return { min: 1, max: 1 }
  if (quantifier === '?') return { min: 0, max: 1 }
  if (quantifier === '*' || quantifier === '+') return { min: quantifier === '*' ? 0 : 1, max: Infinity }
  const [min = '', max = min] = quantifier.slice(1, -1).split(',')
  return { min: Number(min), max: max === '' ? Infinity : Number(max) }
}

/** Whether no character can be both one more of an atom and the first of what follows: then there is one way to match. */
function isToldApart(atom: Atom, rest: readonly Atom[]): boolean {
  const mandatory = rest.findIndex(({ min }) => min > 0)
  const followers = mandatory < 0 ? rest : rest.slice(0, mandatory + 1)
  if (followers.length === 0) return true
  const sources = [atom, ...followers].map(({ source }) => source)
  if (sources.some((source) => /\\[pPux]|[^\0-\x7F]/u.test(source))) return false
  const [own, ...others] = sources.map((source) => nativePattern(`^(?:${source})$`))
  return samples.every((sample) => !own?.test(sample) || !others.some((other) => other.test(sample)))
}
