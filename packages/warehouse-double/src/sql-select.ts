import { duckdbType } from './column-type.ts'
import { duckdbIdentifier, storedPart } from './name.ts'
import { parseType } from './sql-statement.ts'
import type { Token } from './sql-token.ts'
import { notUnderstood } from './statement-error.ts'
import { cursorOf, type TokenCursor } from './token-cursor.ts'

/**
 * Snowflake's SELECT → DuckDB's, for the part of it that means the same in both. What could mean something else (division, AVG, casts to
 * text, a variant compared without a cast) is refused with the way to say it, never guessed.
 */
const keywords = new Set(
  `SELECT DISTINCT FROM WHERE AND OR NOT NULL IS IN BETWEEN LIKE GROUP BY ORDER ASC DESC NULLS FIRST LAST LIMIT OFFSET HAVING AS CASE WHEN
   THEN ELSE END JOIN LEFT RIGHT INNER OUTER FULL CROSS ON UNION ALL EXISTS TRUE FALSE`.split(/\s+/),
)
const functions = new Set(['COUNT', 'COUNT_IF', 'SUM', 'MIN', 'MAX', 'COALESCE', 'ABS', 'UPPER', 'LOWER', 'LENGTH'])
const contextFunctions = new Set([
  'CURRENT_USER',
  'CURRENT_ROLE',
  'CURRENT_DATABASE',
  'CURRENT_SCHEMA',
  'CURRENT_WAREHOUSE',
])
const symbols = new Set(['*', '+', '-', '=', '<>', '!=', '<', '>', '<=', '>=', ',', '(', ')', '.', '||'])

export type SelectContext = {
  /** The DuckDB table of a name's parts. */
  readonly table: (parts: readonly string[]) => string
  /** What `CURRENT_ROLE()` and its like answer. */
  readonly current: (name: string) => string | null
}

/** @throws StatementError when the statement has something in it that the double does not understand. */
export function translateSelect(tokens: readonly Token[], context: SelectContext): string {
  const cursor = cursorOf(tokens)
  const output: string[] = []
  let depth = 0
  let parameters = 0
  while (cursor.peek()) {
    const token = cursor.next()
    if (token.kind === 'parameter') {
      parameters += 1
      output.push(`$${parameters}`)
    } else if (token.kind === 'string' || token.kind === 'number') output.push(token.text)
    else if (token.kind === 'symbol') {
      if (token.text === '(') depth += 1
      if (token.text === ')') depth -= 1
      output.push(symbolOrCast(token, cursor))
    } else output.push(word(token, cursor, context, { depth, before: output.slice(-2) }))
    if (token.text === 'FROM' || token.text === 'JOIN') output.push(tableAfter(token, cursor, context))
  }
  return output.join(' ')
}

type Place = { readonly depth: number; readonly before: readonly string[] }

function symbolOrCast(token: Token, cursor: TokenCursor): string {
  if (token.text === '::') {
    const type = parseType(cursor)
    if (type.kind === 'text')
      throw notUnderstood('a cast to text is understood for paths alone, as in col:field::VARCHAR')
    return `::${duckdbType(type)}`
  }
  if (!symbols.has(token.text)) throw notUnderstood(`"${token.text}"`)
  return token.text
}

function word(token: Token, cursor: TokenCursor, context: SelectContext, place: Place): string {
  const isWord = token.kind === 'word'
  if (isWord && keywords.has(token.text)) return token.text
  if (cursor.peek()?.text === '(') {
    if (isWord && functions.has(token.text)) return token.text
    if (isWord && contextFunctions.has(token.text)) return currentValue(token.text, cursor, context)
    throw notUnderstood(`the function ${token.text}`)
  }
  return columnReference(token, cursor, place)
}

function currentValue(name: string, cursor: TokenCursor, context: SelectContext): string {
  cursor.expect('(', ')')
  const value = context.current(name)
  return value === null ? 'NULL::VARCHAR' : `'${value.replaceAll("'", "''")}'`
}

function columnReference(token: Token, cursor: TokenCursor, place: Place): string {
  let reference = duckdbIdentifier(storedPart(token.text))
  while (cursor.accept('.')) {
    const part = cursor.next()
    reference += part.text === '*' ? '.*' : `.${duckdbIdentifier(storedPart(part.text))}`
  }
  return cursor.accept(':') ? variantPath(reference, cursor, place) : reference
}

/** `col:a.b::TYPE` → the text at the path, cast; without a cast → the JSON at the path, where nothing compares or computes with it. */
function variantPath(column: string, cursor: TokenCursor, place: Place): string {
  const keys = [pathKey(cursor.next())]
  while (cursor.accept('.')) keys.push(pathKey(cursor.next()))
  const path = `'$${keys.map((key) => `."${key}"`).join('')}'`
  if (cursor.accept('::')) {
    const type = parseType(cursor)
    return `CAST((${column} ->> ${path}) AS ${duckdbType(type)})`
  }
  if (!isSelected(cursor, place))
    throw notUnderstood('cast a path where it is compared or computed with: col:field::TYPE')
  return `(${column} -> ${path})`
}

/** Unlike identifiers, paths keep their case. */
function pathKey(token: Token): string {
  if (token.kind === 'quoted') return token.text.slice(1, -1).replaceAll("'", "''")
  if (token.kind === 'word') return token.written.replaceAll("'", "''")
  throw notUnderstood(`"${token.text}" in a path`)
}

function isSelected(cursor: TokenCursor, { depth, before }: Place): boolean {
  const next = cursor.peek()?.text
  const counted = depth > 0 && next === ')' && (before.join(' ') === 'COUNT (' || before.join(' ') === '( DISTINCT')
  const listed = depth === 0 && [',', 'SELECT', 'DISTINCT', 'BY'].includes(before.at(-1) ?? '')
  return counted || (listed && (next === undefined || [',', 'FROM', 'AS'].includes(next)))
}

function tableAfter(token: Token, cursor: TokenCursor, context: SelectContext): string {
  if (cursor.peek()?.text === '(') return ''
  const table = context.table(cursor.name())
  if (cursor.peek()?.text === '(') throw notUnderstood(`a table function after ${token.text}`)
  return table
}
