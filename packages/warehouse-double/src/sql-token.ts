import { notUnderstood } from './statement-error.ts'

export type Token = {
  readonly kind: 'word' | 'quoted' | 'string' | 'number' | 'parameter' | 'symbol'
  /** As it was written, but for words, which are in upper case. */
  readonly text: string
  readonly written: string
}

const statementLengthMax = 100_000

const patterns: readonly (readonly [Token['kind'] | 'space', RegExp])[] = [
  ['space', /(?:\s|--[^\n]*\n?)+/y],
  ['word', /[A-Za-z_][A-Za-z0-9_$]*/y],
  ['quoted', /"[^"]+"/y],
  ['string', /'(?:[^'\\]|'')*'/y],
  ['number', /\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/y],
  ['parameter', /\?/y],
  ['symbol', /::|<>|!=|<=|>=|\|\||[-+*=<>(),.:[\]@]/y],
]

/** The tokens of one statement. @throws StatementError at a character that belongs to none. */
export function tokensOf(sql: string): Token[] {
  const text = sql.trim().replace(/;$/, '')
  if (text.length > statementLengthMax) throw notUnderstood(`it is longer than ${statementLengthMax} characters`)
  const tokens: Token[] = []
  let position = 0
  while (position < text.length) {
    const [kind, matched] = matchAt(text, position)
    if (kind !== 'space')
      tokens.push({ kind, text: kind === 'word' ? matched.toUpperCase() : matched, written: matched })
    position += matched.length
  }
  return tokens
}

function matchAt(text: string, position: number): [Token['kind'] | 'space', string] {
  for (const [kind, pattern] of patterns) {
    pattern.lastIndex = position
    const matched = pattern.exec(text)?.[0]
    if (matched) return [kind, matched]
  }
  throw notUnderstood(`"${text.slice(position, position + 20)}"`)
}
