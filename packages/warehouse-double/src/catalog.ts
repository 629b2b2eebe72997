import { type ColumnType, duckdbType, parseTypeName, typeName } from './column-type.ts'
import type { Query } from './database.ts'
import { displayName, duckdbIdentifier, duckdbSchema, duckdbTable, type ObjectName } from './name.ts'
import { doesNotExist, StatementError } from './statement-error.ts'

export type Column = { readonly name: string; readonly type: ColumnType; readonly nullable: boolean }
export type Table = { readonly name: ObjectName; readonly columns: readonly Column[]; readonly evolves: boolean }

export async function databaseExists(query: Query, name: string): Promise<boolean> {
  return (await query('SELECT 1 FROM double.databases WHERE name = $1', [name])).currentRowCount > 0
}

export async function createDatabase(query: Query, name: string): Promise<void> {
  await query('INSERT INTO double.databases VALUES ($1)', [name])
  await createSchema(query, name, 'PUBLIC')
}

export async function schemaExists(query: Query, database: string, name: string): Promise<boolean> {
  const found = await query('SELECT 1 FROM double.schemas WHERE database = $1 AND name = $2', [database, name])
  return found.currentRowCount > 0
}

export async function createSchema(query: Query, database: string, name: string): Promise<void> {
  if (!(await databaseExists(query, database))) throw doesNotExist('Database', database)
  await query('INSERT INTO double.schemas VALUES ($1, $2)', [database, name])
  await query(`CREATE SCHEMA ${duckdbSchema(database, name)}`)
}

export async function findTable(query: Query, name: ObjectName): Promise<Table | undefined> {
  const key = [name.database, name.schema, name.name]
  const where = 'WHERE database = $1 AND schema = $2'
  const found = await query(`SELECT evolves FROM double.tables ${where} AND name = $3`, key)
  const [row] = found.getRows()
  if (!row) return undefined
  const columns = await query(
    `SELECT name, type, nullable FROM double.columns ${where} AND "table" = $3 ORDER BY ordinal`,
    key,
  )
  return {
    name,
    evolves: row[0] === true,
    columns: columns.getRows().map(([column, type, nullable]) => ({
      name: String(column),
      type: parseTypeName(String(type)),
      nullable: nullable === true,
    })),
  }
}

/** @throws StatementError when there is no such table. */
export async function requireTable(query: Query, name: ObjectName): Promise<Table> {
  const table = await findTable(query, name)
  if (!table) throw doesNotExist('Table', displayName(name))
  return table
}

export async function createTable(query: Query, name: ObjectName, columns: readonly Column[]): Promise<void> {
  if (!(await schemaExists(query, name.database, name.schema))) {
    throw doesNotExist('Schema', `${name.database}.${name.schema}`)
  }
  requireDistinct(columns)
  await query(`CREATE TABLE ${duckdbTable(name)} (${columns.map(duckdbColumn).join(', ')})`)
  await query('INSERT INTO double.tables VALUES ($1, $2, $3, false)', [name.database, name.schema, name.name])
  for (const [index, column] of columns.entries()) await insertColumn(query, name, column, index + 1)
}

export async function addColumn(query: Query, table: Table, column: Column): Promise<void> {
  if (!column.nullable) throw new StatementError(`column '${column.name}' cannot be added as NOT NULL`)
  requireDistinct([...table.columns, column])
  await query(`ALTER TABLE ${duckdbTable(table.name)} ADD COLUMN ${duckdbColumn(column)}`)
  await insertColumn(query, table.name, column, table.columns.length + 1)
}

export async function setEvolution(query: Query, { database, schema, name }: ObjectName, on: boolean): Promise<void> {
  const key = [database, schema, name]
  await query('UPDATE double.tables SET evolves = $4 WHERE database = $1 AND schema = $2 AND name = $3', [...key, on])
}

async function insertColumn(query: Query, table: ObjectName, column: Column, ordinal: number): Promise<void> {
  const values = [ordinal, column.name, typeName(column.type), column.nullable]
  await query('INSERT INTO double.columns VALUES ($1, $2, $3, $4, $5, $6, $7)', [
    table.database,
    table.schema,
    table.name,
    ...values,
  ])
}

function duckdbColumn({ name, type, nullable }: Column): string {
  return `${duckdbIdentifier(name)} ${duckdbType(type)}${nullable ? '' : ' NOT NULL'}`
}

/** DuckDB tells names apart without regard to case, so two that differ in case alone cannot both be kept. */
function requireDistinct(columns: readonly Column[]): void {
  const names = columns.map((column) => column.name.toUpperCase())
  const twice = names.find((name, index) => names.indexOf(name) !== index)
  if (twice !== undefined) throw new StatementError(`duplicate column name '${twice}'`, '002025', '42S21')
}
