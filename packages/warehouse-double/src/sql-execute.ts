import {
  addColumn,
  createDatabase,
  createSchema,
  createTable,
  databaseExists,
  findTable,
  requireTable,
  schemaExists,
  setEvolution,
  type Table,
} from './catalog.ts'
import { typeName } from './column-type.ts'
import type { Database, Query } from './database.ts'
import { displayName, duckdbTable, resolveName, storedPart } from './name.ts'
import { type Result, resultOf, statusResult, textResult } from './result.ts'
import { translateSelect } from './sql-select.ts'
import { type BindingValue, parseStatement, type Statement } from './sql-statement.ts'
import { doesNotExist, StatementError } from './statement-error.ts'

/** Whose statement it is, and where its names are looked up. USE changes it. */
export type StatementContext = {
  readonly user: string
  role: string | undefined
  warehouse: string | undefined
  database: string | undefined
  schema: string | undefined
}

type Kind<Name extends Statement['kind']> = Extract<Statement, { kind: Name }>

const succeeded = 'Statement executed successfully.'

/**
 * Runs one statement.
 * @throws StatementError when it is refused; nothing of it has happened then.
 */
export async function executeStatement(
  database: Database,
  context: StatementContext,
  sql: string,
  bindings: readonly BindingValue[],
): Promise<Result> {
  const statement = parseStatement(sql, bindings)
  if (statement.kind === 'select') return select(database, context, statement, bindings)
  return database.writer.transaction((query) => run(query, context, statement))
}

async function select(
  database: Database,
  context: StatementContext,
  { tokens }: Kind<'select'>,
  bindings: readonly BindingValue[],
): Promise<Result> {
  const sql = translateSelect(tokens, {
    table: (parts) => duckdbTable(resolveName(parts, context)),
    current: (name) => currentValue(name, context),
  })
  try {
    return await database.reader.transaction(async (query) => resultOf(await query(sql, bindings.map(parameterOf))))
  } catch (error) {
    if (error instanceof StatementError) throw error
    throw new StatementError(`SQL compilation error: ${error instanceof Error ? error.message : String(error)}`)
  }
}

function parameterOf({ type, value }: BindingValue): string | number | bigint | boolean | null {
  if (value === null) return null
  switch (type.toUpperCase()) {
    case 'FIXED':
      return BigInt(value)
    case 'REAL':
      return Number(value)
    case 'BOOLEAN':
      return value.toLowerCase() === 'true'
    case 'TEXT':
      return value
    default:
      throw new StatementError(`the warehouse double takes bindings of type TEXT, FIXED, REAL and BOOLEAN, not ${type}`)
  }
}

function currentValue(name: string, context: StatementContext): string | null {
  const values: Record<string, string | undefined> = {
    CURRENT_USER: context.user,
    CURRENT_ROLE: context.role,
    CURRENT_DATABASE: context.database,
    CURRENT_SCHEMA: context.schema,
    CURRENT_WAREHOUSE: context.warehouse,
  }
  return values[name] ?? null
}

type Command = Exclude<Statement, { kind: 'select' }>

async function run(query: Query, context: StatementContext, statement: Command): Promise<Result> {
  switch (statement.kind) {
    case 'use':
      return use(query, context, statement)
    case 'create-database':
    case 'create-schema':
      return createContainer(query, context, statement)
    case 'create-table':
      return create(query, context, statement)
    case 'add-columns':
      return addColumns(query, context, statement)
    case 'set-evolution': {
      const table = await requireTable(query, resolveName(statement.name, context))
      await setEvolution(query, table.name, statement.on)
      return statusResult(succeeded)
    }
    case 'describe-table':
      return described(await requireTable(query, resolveName(statement.name, context)))
    case 'show-grants':
      return grants(await requireTable(query, resolveName(statement.name, context)), context)
    case 'show-tables':
      return tables(await findTable(query, resolveName([storedPart(statement.like)], context)))
    case 'migrate-offset-token':
      return textResult(
        ['RESULT'],
        [[JSON.stringify({ responseCode: 51, responseMessage: 'Source Channel does not exist' })]],
      )
  }
}

async function use(query: Query, context: StatementContext, { what, name }: Kind<'use'>): Promise<Result> {
  const [last = '', before] = [...name].reverse()
  if (what === 'ROLE') context.role = last
  if (what === 'WAREHOUSE') context.warehouse = last
  if (what === 'DATABASE') {
    if (!(await databaseExists(query, last))) throw doesNotExist('Database', last)
    Object.assign(context, { database: last, schema: 'PUBLIC' })
  }
  if (what === 'SCHEMA') {
    const database = before ?? context.database
    if (database === undefined || !(await schemaExists(query, database, last))) throw doesNotExist('Schema', last)
    Object.assign(context, { database, schema: last })
  }
  return statusResult(succeeded)
}

async function createContainer(
  query: Query,
  context: StatementContext,
  { kind, ifMissing, name }: Kind<'create-database'> | Kind<'create-schema'>,
): Promise<Result> {
  const isSchema = kind === 'create-schema'
  const [last = '', before, ...rest] = [...name].reverse()
  const database = isSchema ? (before ?? context.database) : last
  if (rest.length > 0 || database === undefined || (!isSchema && before !== undefined)) {
    throw new StatementError(`invalid identifier '${name.join('.')}'`)
  }
  const exists = isSchema ? await schemaExists(query, database, last) : await databaseExists(query, database)
  if (exists) return alreadyExists(last, ifMissing)
  await (isSchema ? createSchema(query, database, last) : createDatabase(query, database))
  return statusResult(`${isSchema ? 'Schema' : 'Database'} ${last} successfully created.`)
}

async function create(query: Query, context: StatementContext, statement: Kind<'create-table'>): Promise<Result> {
  const name = resolveName(statement.name, context)
  if (await findTable(query, name)) return alreadyExists(name.name, statement.ifMissing)
  await createTable(query, name, statement.columns)
  return statusResult(`Table ${name.name} successfully created.`)
}

function alreadyExists(name: string, ifMissing: boolean): Result {
  if (!ifMissing) throw new StatementError(`Object '${name}' already exists.`, '002002', '42710')
  return statusResult(`${name} already exists, statement succeeded.`)
}

async function addColumns(query: Query, context: StatementContext, statement: Kind<'add-columns'>): Promise<Result> {
  const name = resolveName(statement.name, context)
  for (const column of statement.columns) {
    const table = await requireTable(query, name)
    const exists = table.columns.some((other) => other.name === column.name)
    if (exists && !statement.ifMissing) {
      throw new StatementError(`column '${column.name}' already exists`, '001430', '42S21')
    }
    if (!exists) await addColumn(query, table, column)
  }
  return statusResult(succeeded)
}

function described({ columns }: Table): Result {
  const names = [
    'name',
    'type',
    'kind',
    'null?',
    'default',
    'primary key',
    'unique key',
    'check',
    'expression',
    'comment',
  ]
  return textResult(
    [...names, 'policy name', 'privacy domain'],
    columns.map(({ name, type, nullable }) => [
      name,
      typeName(type),
      'COLUMN',
      nullable ? 'Y' : 'N',
      null,
      'N',
      'N',
      null,
      null,
      null,
      null,
      null,
    ]),
  )
}

/** The double keeps no roles: whoever asks owns the table. */
function grants({ name }: Table, { role = 'PUBLIC' }: StatementContext): Result {
  const columns = [
    'created_on',
    'privilege',
    'granted_on',
    'name',
    'granted_to',
    'grantee_name',
    'grant_option',
    'granted_by',
  ]
  return textResult(columns, [['0', 'OWNERSHIP', 'TABLE', displayName(name), 'ROLE', role, 'true', role]])
}

function tables(table: Table | undefined): Result {
  const columns = ['created_on', 'name', 'database_name', 'schema_name', 'kind', 'enable_schema_evolution']
  if (!table) return textResult(columns, [])
  const { database, schema, name } = table.name
  return textResult(columns, [['0', name, database, schema, 'TABLE', table.evolves ? 'Y' : 'N']])
}
