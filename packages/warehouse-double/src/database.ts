import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { type DuckDBConnection, DuckDBInstance, type DuckDBResultReader, type DuckDBValue } from '@duckdb/node-api'
import { StatementError, tooManyStatements } from './statement-error.ts'

/** How many requests may wait for the database; more are told to come again. */
const waitingMax = 256
/** A result is held in memory as a whole. */
const resultRowsMax = 500_000

export type Parameters = readonly DuckDBValue[]

/** One side of the database: its statements run one after the other. */
export type DatabaseSession = {
  /** Runs `work` alone, in one transaction: all of its effects are on disk when this resolves, or none. */
  transaction<Value>(work: (query: Query) => Promise<Value>): Promise<Value>
}

export type Query = (sql: string, parameters?: Parameters) => Promise<DuckDBResultReader>

export type Database = {
  /** The only writer. */
  readonly writer: DatabaseSession
  /** Reads the last committed state, without waiting for the writer. */
  readonly reader: DatabaseSession
  close(): Promise<void>
}

const metadata = `
CREATE SCHEMA IF NOT EXISTS double;
CREATE TABLE IF NOT EXISTS double.databases (name VARCHAR PRIMARY KEY);
CREATE TABLE IF NOT EXISTS double.schemas (database VARCHAR, name VARCHAR, PRIMARY KEY (database, name));
CREATE TABLE IF NOT EXISTS double.tables (database VARCHAR, schema VARCHAR, name VARCHAR, evolves BOOLEAN, PRIMARY KEY (database, schema, name));
CREATE TABLE IF NOT EXISTS double.columns (database VARCHAR, schema VARCHAR, "table" VARCHAR, ordinal INTEGER, name VARCHAR, type VARCHAR, nullable BOOLEAN);
CREATE TABLE IF NOT EXISTS double.channels (database VARCHAR, schema VARCHAR, "table" VARCHAR, name VARCHAR,
  client_sequencer BIGINT, row_sequencer BIGINT, offset_token VARCHAR, PRIMARY KEY (database, schema, "table", name));
CREATE TABLE IF NOT EXISTS double.keys (name VARCHAR PRIMARY KEY, value VARCHAR);`

/** Opens the DuckDB file of a data folder, making it where it is missing. DuckDB may touch no file outside of the folder. */
export async function openDatabase(dataDir: string): Promise<Database> {
  await mkdir(dataDir, { recursive: true, mode: 0o700 })
  const instance = await DuckDBInstance.create(join(dataDir, 'warehouse.duckdb'), {
    threads: '2',
    memory_limit: '512MB',
    default_null_order: 'postgres',
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
  })
  const [writing, reading] = [await instance.connect(), await instance.connect()]
  await writing.run("SET GLOBAL TimeZone = 'UTC'")
  await writing.run(`SET allowed_directories = ['${dataDir.replaceAll("'", "''")}']`)
  await writing.run('SET enable_external_access = false')
  await writing.run('SET lock_configuration = true')
  await writing.run(metadata)
  return {
    writer: serialized(writing),
    reader: serialized(reading),
    close: async () => {
      await writing.run('CHECKPOINT')
      reading.closeSync()
      writing.closeSync()
      instance.closeSync()
    },
  }
}

function serialized(connection: DuckDBConnection): DatabaseSession {
  let last: Promise<unknown> = Promise.resolve()
  let waiting = 0
  const query: Query = (sql, parameters = []) => run(connection, sql, parameters)
  return {
    transaction: async (work) => {
      if (waiting >= waitingMax)
        throw new StatementError('too many statements at once: try again', tooManyStatements, '53000')
      waiting += 1
      const result = last.then(() => inTransaction(connection, () => work(query)))
      last = result.catch(() => undefined)
      try {
        return await result
      } finally {
        waiting -= 1
      }
    },
  }
}

async function inTransaction<Value>(connection: DuckDBConnection, work: () => Promise<Value>): Promise<Value> {
  await connection.run('BEGIN')
  try {
    const value = await work()
    await connection.run('COMMIT')
    return value
  } catch (error) {
    await connection.run('ROLLBACK')
    throw error
  }
}

async function run(connection: DuckDBConnection, sql: string, parameters: Parameters): Promise<DuckDBResultReader> {
  const reader = await connection.streamAndReadUntil(sql, resultRowsMax + 1, [...parameters])
  if (reader.currentRowCount > resultRowsMax) {
    throw new StatementError(`the result has more than ${resultRowsMax} rows: add a LIMIT or a WHERE`)
  }
  return reader
}
