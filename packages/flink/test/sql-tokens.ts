/** A token of Flink SQL; `text` is what a literal or a delimited identifier stands for, or the word or symbol itself. */
export type Token = { readonly kind: 'word' | 'number' | 'symbol' | 'identifier' | 'literal'; readonly text: string }

const patterns = {
  space: /\s+/y,
  comment: /--[^\n\r]*|\/\/[^\n\r]*|\/\*[\s\S]*?\*\//y,
  literal: /'((?:[^']|'')*)'/y,
  identifier: /`((?:[^`\n\r]|``)+)`/y,
  number: /\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/y,
  word: /[A-Za-z_]\w*/y,
  symbol: /<>|<=|>=|=>|\|\||[-+*/(),.;=<>[\]]/y,
} as const

/**
 * Splits SQL as Flink's parser does (Calcite, Lex.JAVA), written from its grammar and not from our compiler.
 * @throws SyntaxError at what is no token, for instance a literal without an end.
 */
export function tokensOf(sql: string): Token[] {
  const tokens: Token[] = []
  for (let at = 0; at < sql.length;) {
    const found = tokenAt(sql, at)
    if (!found) throw new SyntaxError(`no token at ${at}: ${JSON.stringify(sql.slice(at, at + 40))}`)
    at = found.end
    if (found.token) tokens.push(found.token)
  }
  return tokens
}

function tokenAt(sql: string, at: number): { readonly end: number; readonly token: Token | undefined } | undefined {
  for (const [kind, pattern] of Object.entries(patterns)) {
    pattern.lastIndex = at
    const [whole, inner] = pattern.exec(sql) ?? []
    if (whole === undefined) continue
    return { end: at + whole.length, token: tokenOf(kind, whole, inner) }
  }
  return undefined
}

function tokenOf(kind: string, whole: string, inner = ''): Token | undefined {
  switch (kind) {
    case 'literal':
      return { kind, text: inner.replaceAll("''", "'") }
    case 'identifier':
      return { kind, text: inner.replaceAll('``', '`') }
    case 'number':
    case 'word':
    case 'symbol':
      return { kind, text: whole }
    default:
      return undefined
  }
}
