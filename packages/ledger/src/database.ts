import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api'
import type { JsonValue } from '@millrace/core/json'

/** A row as DuckDB gives it in JSON: numbers beyond 32 bits are strings. */
export type Row = Readonly<Record<string, JsonValue>>

/** The verdict's own database. Everything in it was read from outside and may be thrown away. */
export type Database = {
  run(sql: string): Promise<void>
  rows(sql: string): Promise<Row[]>
  /** The one number that a query answers. */
  number(sql: string): Promise<number>
  readonly connection: DuckDBConnection
  close(): void
}

/** Opens a database in a file, or in memory for small tables. It uses at most 600 MB and spills to disk beyond. */
export async function openDatabase(file = ':memory:'): Promise<Database> {
  const instance = await DuckDBInstance.create(file, { threads: '2', memory_limit: '600MB' })
  const connection = await instance.connect()
  const rows = async (sql: string): Promise<Row[]> => (await connection.runAndReadAll(sql)).getRowObjectsJson()
  return {
    connection,
    run: async (sql) => {
      await connection.run(sql)
    },
    rows,
    number: async (sql) => Number(Object.values((await rows(sql))[0] ?? {})[0]),
    close: () => {
      connection.closeSync()
      instance.closeSync()
    },
  }
}

/** A string literal of SQL. */
export function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}
