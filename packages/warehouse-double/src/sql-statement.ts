import type { Column } from './catalog.ts'
import { columnType, type ColumnType } from './column-type.ts'
import { parseName, storedPart } from './name.ts'
import { tokensOf, type Token } from './sql-token.ts'
import { notUnderstood } from './statement-error.ts'
import { cursorOf, type TokenCursor } from './token-cursor.ts'

/** A value for a `?`, with Snowflake's name of its type. */
export type BindingValue = { readonly type: string; readonly value: string | null }

/** Every statement that the double understands. */
export type Statement =
  | {
      readonly kind: 'use'
      readonly what: 'DATABASE' | 'SCHEMA' | 'ROLE' | 'WAREHOUSE'
      readonly name: readonly string[]
    }
  | { readonly kind: 'create-database'; readonly ifMissing: boolean; readonly name: readonly string[] }
  | { readonly kind: 'create-schema'; readonly ifMissing: boolean; readonly name: readonly string[] }
  | {
      readonly kind: 'create-table'
      readonly ifMissing: boolean
      readonly name: readonly string[]
      readonly columns: readonly Column[]
    }
  | {
      readonly kind: 'add-columns'
      readonly ifMissing: boolean
      readonly name: readonly string[]
      readonly columns: readonly Column[]
    }
  | { readonly kind: 'set-evolution'; readonly name: readonly string[]; readonly on: boolean }
  | { readonly kind: 'describe-table' | 'show-grants'; readonly name: readonly string[] }
  | { readonly kind: 'show-tables'; readonly like: string }
  | { readonly kind: 'migrate-offset-token' }
  | { readonly kind: 'select'; readonly tokens: readonly Token[] }

/**
 * Reads one statement: the DDL and SELECTs of the platform, and what Snowflake's connector and its JDBC driver say.
 * @throws StatementError for everything else.
 */
export function parseStatement(sql: string, bindings: readonly BindingValue[]): Statement {
  if (migration.test(sql)) return { kind: 'migrate-offset-token' }
  const tokens = tokensOf(sql)
  const cursor = cursorOf(tokens)
  if (cursor.peek()?.text === 'SELECT') return { kind: 'select', tokens }
  const statement = parseCommand(cursor, namesFrom(cursor, bindings))
  cursor.end()
  return statement
}

/** The connector asks to take over the offset of a channel that an older version of it opened. */
const migration = /^\s*select\s+SYSTEM\$SNOWPIPE_STREAMING_MIGRATE_CHANNEL_OFFSET_TOKEN\s*\(/i

type NameReader = () => string[]

/** A name is written out, or comes as `IDENTIFIER(?)`. */
function namesFrom(cursor: TokenCursor, bindings: readonly BindingValue[]): NameReader {
  let used = 0
  return () => {
    if (!cursor.accept('IDENTIFIER', '(')) return cursor.name()
    if (cursor.next().kind !== 'parameter') throw notUnderstood('IDENTIFIER takes a ? here')
    cursor.expect(')')
    const value = bindings[used]?.value
    used += 1
    if (value === undefined || value === null) throw notUnderstood('IDENTIFIER(?) has no value')
    return parseName(value)
  }
}

function parseCommand(cursor: TokenCursor, name: NameReader): Statement {
  const verb = cursor.next().text
  switch (verb) {
    case 'USE':
      return parseUse(cursor, name)
    case 'CREATE':
      return parseCreate(cursor, name)
    case 'ALTER':
      return parseAlter(cursor, name)
    case 'DESC':
    case 'DESCRIBE':
      cursor.expect('TABLE')
      return { kind: 'describe-table', name: name() }
    case 'SHOW':
      return parseShow(cursor, name)
    default:
      throw notUnderstood(`${verb} …`)
  }
}

function parseUse(cursor: TokenCursor, name: NameReader): Statement {
  const what = (['DATABASE', 'SCHEMA', 'ROLE', 'WAREHOUSE'] as const).find((word) => cursor.accept(word))
  if (!what) throw notUnderstood('USE takes DATABASE, SCHEMA, ROLE or WAREHOUSE')
  return { kind: 'use', what, name: name() }
}

function parseCreate(cursor: TokenCursor, name: NameReader): Statement {
  const what = (['DATABASE', 'SCHEMA', 'TABLE'] as const).find((word) => cursor.accept(word))
  if (!what) throw notUnderstood('CREATE takes DATABASE, SCHEMA or TABLE')
  const ifMissing = cursor.accept('IF', 'NOT', 'EXISTS')
  const created = name()
  if (what === 'DATABASE') return { kind: 'create-database', ifMissing, name: created }
  if (what === 'SCHEMA') return { kind: 'create-schema', ifMissing, name: created }
  cursor.expect('(')
  const columns = parseColumns(cursor)
  cursor.expect(')')
  return { kind: 'create-table', ifMissing, name: created, columns }
}

function parseAlter(cursor: TokenCursor, name: NameReader): Statement {
  cursor.expect('TABLE')
  const altered = name()
  if (cursor.accept('SET', 'ENABLE_SCHEMA_EVOLUTION', '=')) {
    const on = cursor.accept('TRUE')
    if (!on) cursor.expect('FALSE')
    return { kind: 'set-evolution', name: altered, on }
  }
  cursor.expect('ADD')
  cursor.accept('COLUMN')
  const ifMissing = cursor.accept('IF', 'NOT', 'EXISTS')
  return { kind: 'add-columns', ifMissing, name: altered, columns: parseColumns(cursor) }
}

function parseShow(cursor: TokenCursor, name: NameReader): Statement {
  if (cursor.accept('GRANTS', 'ON', 'TABLE')) return { kind: 'show-grants', name: name() }
  cursor.expect('TABLES', 'LIKE')
  const pattern = cursor.next()
  if (pattern.kind !== 'string') throw notUnderstood('SHOW TABLES LIKE takes a string')
  if (cursor.accept('LIMIT')) cursor.next()
  return { kind: 'show-tables', like: pattern.text.slice(1, -1).replaceAll("''", "'") }
}

function parseColumns(cursor: TokenCursor): Column[] {
  const columns = [parseColumn(cursor)]
  while (cursor.accept(',')) columns.push(parseColumn(cursor))
  return columns
}

function parseColumn(cursor: TokenCursor): Column {
  cursor.accept('IF', 'NOT', 'EXISTS')
  const written = cursor.next()
  if (written.kind !== 'word' && written.kind !== 'quoted') throw notUnderstood(`"${written.text}" is not a name`)
  const type = parseType(cursor)
  const nullable = !cursor.accept('NOT', 'NULL')
  if (cursor.accept('COMMENT')) cursor.next()
  return { name: storedPart(written.text), type, nullable }
}

/** Reads a type: `VARCHAR`, `NUMBER(38, 0)`. */
export function parseType(cursor: TokenCursor): ColumnType {
  const name = cursor.next().text
  const numbers: number[] = []
  if (cursor.accept('(')) {
    do numbers.push(Number(cursor.next().text))
    while (cursor.accept(','))
    cursor.expect(')')
  }
  return columnType(name, numbers)
}
